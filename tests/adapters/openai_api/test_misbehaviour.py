"""What an endpoint can do wrong, and what becomes of it. The key is in no error."""

import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from shared.adapters.openai_api.embedder import OpenAiEmbedder
from shared.adapters.openai_api.llm import OpenAiLlm
from shared.domain.chats import Passage
from shared.domain.chunks import ChunkId
from shared.domain.collections import EmbeddingModel
from shared.domain.errors import Delayed, LambentError, Rejected, Unavailable
from shared.domain.prompts import build
from shared.ports.embedder import Purpose
from shared.ports.llm import Finished, LlmEvent, TextDelta, whole
from tests.fixtures.model_server import (
    API_KEY,
    DIMENSIONS,
    Behaviour,
    ModelServer,
    cut,
    delta,
    dripping,
    endless,
    events,
    raw,
    silent,
    spoken,
    status,
    vectors,
)

PROMPT = build("When?", [Passage(1, ChunkId(UUID(int=1), 1, 1), "a.txt", (), "In 1889.", 1.0)])
GOOD = [0.5] * DIMENSIONS


def embedder_of(server: ModelServer, model: str = "words", seconds: float = 30) -> OpenAiEmbedder:
    known = EmbeddingModel(f"openai_api/{model}", DIMENSIONS, 100)
    return OpenAiEmbedder(known, model=model, base_url=server.url, api_key=API_KEY, seconds=seconds)


def llm_of(server: ModelServer, seconds: float = 30) -> OpenAiLlm:
    return OpenAiLlm(model="talker", base_url=server.url, api_key=API_KEY, seconds=seconds)


async def embed(server: ModelServer, seconds: float = 30) -> object:
    return await embedder_of(server, seconds=seconds).embed(["a", "b"], Purpose.DOCUMENT)


async def ask(server: ModelServer, seconds: float = 30) -> list[LlmEvent]:
    return [event async for event in llm_of(server, seconds).stream(PROMPT)]


async def error_of(made: Awaitable[object]) -> LambentError:
    with pytest.raises(LambentError) as raised:
        await made
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value.context) + raised.value.hint
    assert API_KEY not in told
    return raised.value


REFUSALS: list[tuple[Behaviour, type[LambentError], str]] = [
    (status(400), Rejected, "model_rejected"),
    (status(413), Rejected, "model_rejected"),
    (status(400, {"message": "bad", "param": "dimensions"}), Unavailable, "model_unavailable"),
    (status(400, {"message": "no such", "code": "model_not_found"}), Unavailable, "model_unknown"),
    (status(401, {"message": f"wrong key {API_KEY}"}), Unavailable, "model_key_refused"),
    (status(403), Unavailable, "model_key_refused"),
    (status(404, {"message": f"no model for {API_KEY}"}), Unavailable, "model_unknown"),
    (status(408), Unavailable, "model_unavailable"),
    (status(500, {"message": f"crashed at Bearer {API_KEY}\x1b[31m\nnext"}), Unavailable, "model_unavailable"),
    (status(503), Unavailable, "model_unavailable"),
    (status(302, headers={"Location": "/elsewhere"}), Unavailable, "model_redirected"),
    (status(307, headers={"Location": "/elsewhere"}), Unavailable, "model_redirected"),
    (status(500, ["odd"]), Unavailable, "model_unavailable"),
]


@pytest.mark.parametrize("power", [embed, ask])
@pytest.mark.parametrize(("behaviour", "error", "code"), REFUSALS)
async def test_refusal_of_any_kind_becomes_the_right_error(
    model_server: ModelServer,
    power: Callable[[ModelServer], Awaitable[object]],
    behaviour: Behaviour,
    error: type[LambentError],
    code: str,
) -> None:
    model_server.next(behaviour)
    raised = await error_of(power(model_server))
    assert (type(raised), raised.code) == (error, code)
    assert len(model_server.asked) == 1
    assert "\x1b" not in raised.detail


@pytest.mark.parametrize("power", [embed, ask])
@pytest.mark.parametrize("behaviour", [silent(), dripping(b" ", "application/json")])
async def test_silence_or_a_slow_drip_ends_at_the_deadline(
    model_server: ModelServer, power: Callable[[ModelServer, float], Awaitable[object]], behaviour: Behaviour
) -> None:
    model_server.next(behaviour)
    assert (await error_of(power(model_server, 0.4))).code in ("model_timeout", "model_cut_off")


async def test_stream_that_only_sends_signs_of_life_ends_at_the_deadline(model_server: ModelServer) -> None:
    model_server.next(dripping())
    assert (await error_of(ask(model_server, 0.4))).code == "model_timeout"


EMBEDDINGS: list[Behaviour] = [
    cut(),
    raw(b'{"error": {"message": "boom"}}'),
    raw(b"<html>"),
    raw(b""),
    raw(b"[" * 100_000),
    raw(b"{}"),
    raw(b'{"data": [1, 2]}'),
    raw(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    vectors([GOOD]),
    vectors([GOOD, GOOD, GOOD]),
    vectors([GOOD[1:], GOOD[1:]]),
    vectors([GOOD, [0.0] * DIMENSIONS]),
    vectors([], data=[{"index": 0, "embedding": GOOD}, {"index": 0, "embedding": GOOD}]),
    vectors([], data=[{"index": 0, "embedding": "!!"}, {"index": 1, "embedding": "!!"}]),
    vectors([], data=[{"index": 0, "embedding": ["x"] * DIMENSIONS}, {"index": 1, "embedding": GOOD}]),
    vectors([], data=[{"index": 0, "embedding": [float("nan")] * DIMENSIONS}, {"index": 1, "embedding": GOOD}]),
    endless(b" " * 1024 * 1024),
]


@pytest.mark.parametrize("behaviour", EMBEDDINGS)
async def test_embed_with_a_malformed_answer_is_unavailable(model_server: ModelServer, behaviour: Behaviour) -> None:
    model_server.next(behaviour)
    assert isinstance(await error_of(embed(model_server)), Unavailable)


async def test_embed_with_answers_out_of_order_puts_them_in_order(model_server: ModelServer) -> None:
    first, second = [1.0] + [0.0] * (DIMENSIONS - 1), [0.0] * (DIMENSIONS - 1) + [1.0]
    model_server.next(vectors([], data=[{"index": 1, "embedding": second}, {"index": 0, "embedding": first}]))
    found = await embedder_of(model_server).embed(["a", "b"], Purpose.DOCUMENT)
    assert list(found.vectors) == [first, second]


async def test_embed_asks_for_dimensions_only_where_models_know_them(model_server: ModelServer) -> None:
    for model in ("text-embedding-3-small", "words"):
        await embedder_of(model_server, model).embed(["a"], Purpose.DOCUMENT)
    assert [asked.get("dimensions") for asked in model_server.asked] == [DIMENSIONS, None]


async def test_embed_of_texts_over_the_window_cuts_them_shorter_and_tries_again(model_server: ModelServer) -> None:
    model_server.next(status(400, {"message": "This model's maximum context length is 100 tokens"}))
    await embedder_of(model_server).embed(["ก" * 1000], Purpose.DOCUMENT)
    assert [len(asked["input"][0]) for asked in model_server.asked] == [400, 100]


STREAMS: list[Behaviour] = [
    cut(),
    events(delta("It "), "{not json"),
    events(delta("It "), '"text"'),
    events(delta("It "), '{"unknown": 1}'),
    events(delta("It "), '{"error": {"message": "overloaded"}}'),
    events(delta("It "), end=False),
    events(delta("It ")),
    events(delta("It "), "[DONE]"),
    raw(b'{"error": {"message": "boom"}}'),
    raw(b""),
    raw(b"data: \xff\xfe\n\n", "text/event-stream"),
    endless(b"x" * 65536, "text/event-stream"),
    endless(f"data: {delta('more ')}\n\n".encode() * 200, "text/event-stream"),
]


@pytest.mark.parametrize("behaviour", STREAMS)
async def test_stream_malformed_or_cut_off_is_unavailable(model_server: ModelServer, behaviour: Behaviour) -> None:
    model_server.next(behaviour)
    assert isinstance(await error_of(ask(model_server)), Unavailable)


async def test_stream_with_an_error_event_of_a_limit_is_delayed(model_server: ModelServer) -> None:
    model_server.next(events(json.dumps({"error": {"message": "slow down", "code": 429}})))
    assert isinstance(await error_of(ask(model_server)), Delayed)


@pytest.mark.parametrize("glue", ["\n", "\r\n", "\r"])
async def test_stream_with_any_line_ends_is_read(model_server: ModelServer, glue: str) -> None:
    model_server.next(events(delta("It é"), delta("s."), delta(reason="stop"), "[DONE]", glue=glue))
    assert whole(await ask(model_server)) == "It és."


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "filtered"), ("end_turn", "stop")],
)
async def test_stream_tells_why_it_ended_and_what_it_used(model_server: ModelServer, reason: str, meaning: str) -> None:
    model_server.next(spoken("It is so.", reason))
    assert (await ask(model_server))[-1] == Finished("openai_api/talker", 11, 7, meaning)


async def test_stream_without_usage_estimates_it(model_server: ModelServer) -> None:
    model_server.next(events(delta("12345678"), delta(reason="stop")))
    last = (await ask(model_server))[-1]
    assert isinstance(last, Finished)
    assert last.output_tokens == 2
    assert last.input_tokens > 100


async def test_stream_with_a_spoken_refusal_is_filtered(model_server: ModelServer) -> None:
    refusal = json.dumps({"choices": [{"delta": {"refusal": "I cannot."}, "finish_reason": None}]})
    model_server.next(events(refusal, delta(reason="stop"), "[DONE]"))
    given = await ask(model_server)
    assert given[0] == TextDelta("I cannot.")
    assert isinstance(given[-1], Finished)
    assert given[-1].reason == "filtered"


async def test_stream_learns_what_the_endpoint_does_not_take(model_server: ModelServer) -> None:
    model_server.next(
        status(
            400, {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.", "param": "max_tokens"}
        ),
        status(400, {"message": "Unsupported value: 'temperature'", "param": "temperature"}),
    )
    llm = llm_of(model_server)
    for _ in range(2):
        assert [event async for event in llm.stream(PROMPT)]
    assert len(model_server.asked) == 4
    last = model_server.asked[-1]
    assert last["max_completion_tokens"] == PROMPT.max_tokens
    assert "max_tokens" not in last
    assert "temperature" not in last


@pytest.mark.parametrize("power", [embed, ask])
async def test_call_writes_the_key_into_no_log(
    model_server: ModelServer, power: Callable[[ModelServer], Awaitable[object]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await power(model_server)
    assert API_KEY not in caplog.text
    assert model_server.asked[0]["_headers"]["Authorization"] == f"Bearer {API_KEY}"


@pytest.mark.parametrize("base_url", ["ftp://example.test", "example.test/v1", "file:///etc/passwd"])
def test_endpoint_with_no_web_address_is_refused(base_url: str) -> None:
    with pytest.raises(Unavailable, match="base URL"):
        OpenAiLlm(model="m", base_url=base_url, api_key="k")


def test_endpoint_with_an_impossible_key_is_refused_without_repeating_it() -> None:
    with pytest.raises(Unavailable) as raised:
        OpenAiLlm(model="m", base_url="", api_key="se\ncret")
    assert "cret" not in str(raised.value)


async def test_call_of_nobody_is_unavailable() -> None:
    nobody = OpenAiLlm(model="m", base_url="http://127.0.0.1:9/v1", api_key=API_KEY)
    with pytest.raises(Unavailable, match="not reached"):
        assert [event async for event in nobody.stream(PROMPT)]
