"""litellm against an endpoint that misbehaves: the errors of any other adapter, no retries, no key in any text.

This folder is not called litellm: the test runner would then import the library itself to look for it here.
"""

import os
import subprocess
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest

from shared.adapters.litellm.embedder import LitellmEmbedder
from shared.adapters.litellm.llm import LitellmLlm
from shared.domain.chats import Passage
from shared.domain.chunks import ChunkId
from shared.domain.collections import EmbeddingModel
from shared.domain.errors import LambentError, Rejected, Unavailable
from shared.domain.prompts import build
from shared.ports.embedder import Purpose
from shared.ports.llm import Finished, LlmEvent
from tests.fixtures.model_server import (
    API_KEY,
    DIMENSIONS,
    LITELLM_WARNINGS,
    Behaviour,
    ModelServer,
    cut,
    delta,
    dripping,
    events,
    raw,
    silent,
    spoken,
    status,
    vectors,
)

pytestmark = [*LITELLM_WARNINGS, pytest.mark.usefixtures("litellm_loaded")]

ROOT = Path(__file__).parents[3]
PROMPT = build("When?", [Passage(1, ChunkId(UUID(int=1), 1, 1), "a.txt", (), "In 1889.", 1.0)])
GOOD = [0.5] * DIMENSIONS


async def embed(server: ModelServer, seconds: float = 30) -> object:
    model = EmbeddingModel("litellm/words", DIMENSIONS, 100)
    embedder = LitellmEmbedder(model, model="openai/words", base_url=server.url, api_key=API_KEY, seconds=seconds)
    return await embedder.embed(["a", "b"], Purpose.DOCUMENT)


async def ask(server: ModelServer, seconds: float = 30) -> list[LlmEvent]:
    llm = LitellmLlm(model="openai/talker", base_url=server.url, api_key=API_KEY, seconds=seconds)
    return [event async for event in llm.stream(PROMPT)]


async def error_of(made: Awaitable[object]) -> LambentError:
    with pytest.raises(LambentError) as raised:
        await made
    assert API_KEY not in "".join(traceback.format_exception(raised.value)) + raised.value.hint
    return raised.value


@pytest.mark.parametrize("power", [embed, ask])
@pytest.mark.parametrize(
    ("behaviour", "error", "code"),
    [
        (status(400), Rejected, "model_rejected"),
        (status(401, {"message": f"wrong key {API_KEY}"}), Unavailable, "model_key_refused"),
        (status(404), Unavailable, "model_unknown"),
        (status(500), Unavailable, "model_unavailable"),
        (status(503), Unavailable, "model_unavailable"),
    ],
)
async def test_refusal_of_any_kind_becomes_the_right_error_after_one_request(
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


@pytest.mark.parametrize("power", [embed, ask])
@pytest.mark.parametrize("behaviour", [silent(), dripping()])
async def test_silence_or_a_slow_drip_ends_at_the_deadline(
    model_server: ModelServer, power: Callable[[ModelServer, float], Awaitable[object]], behaviour: Behaviour
) -> None:
    model_server.next(behaviour)
    assert isinstance(await error_of(power(model_server, 0.5)), Unavailable)


@pytest.mark.parametrize(
    "behaviour",
    [
        cut(),
        raw(b'{"error": {"message": "boom"}}'),
        raw(b"<html>", "text/html"),
        raw(b'{"object": "list", "data": []}'),
        vectors([GOOD]),
        vectors([GOOD[1:], GOOD[1:]]),
        vectors([GOOD, [0.0] * DIMENSIONS]),
    ],
)
async def test_embed_with_a_malformed_answer_is_unavailable(model_server: ModelServer, behaviour: Behaviour) -> None:
    model_server.next(behaviour)
    assert isinstance(await error_of(embed(model_server)), Unavailable)


@pytest.mark.parametrize(
    "behaviour",
    [
        cut(),
        events(delta("It "), "{not json"),
        events(delta("It "), '{"error": {"message": "overloaded"}}'),
        events(delta("It "), end=False),
        events(delta("It ")),
        raw(b'{"error": {"message": "boom"}}'),
        raw(b"<html>", "text/html"),
    ],
)
async def test_stream_malformed_or_cut_off_is_unavailable(model_server: ModelServer, behaviour: Behaviour) -> None:
    model_server.next(behaviour)
    assert isinstance(await error_of(ask(model_server)), Unavailable)


@pytest.mark.parametrize(("reason", "meaning"), [("length", "length"), ("content_filter", "filtered")])
async def test_stream_tells_why_it_ended_and_what_it_used(model_server: ModelServer, reason: str, meaning: str) -> None:
    model_server.next(spoken("It is so.", reason))
    assert (await ask(model_server))[-1] == Finished("litellm/openai/talker", 11, 7, meaning)


def test_load_fetches_nothing_reads_no_env_file_and_calls_nobody_back(tmp_path: Path) -> None:
    tmp_path.joinpath(".env").write_text("LEAKED_BY_DOTENV=1\n")
    program = (
        "import socket, os\n"
        "def refuse(*given, **more): raise AssertionError('a connection was tried')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "import shared.adapters.litellm.embedder, shared.adapters.litellm.llm, sys\n"
        "assert 'litellm' not in sys.modules\n"
        "from shared.adapters.litellm.library import load\n"
        "litellm = load()\n"
        "assert 'LEAKED_BY_DOTENV' not in os.environ\n"
        "assert litellm.model_cost and not litellm.telemetry\n"
        "assert not litellm.callbacks and not litellm.success_callback\n"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
