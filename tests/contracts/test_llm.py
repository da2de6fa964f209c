"""What every language model must do: scripted, extractive, and at a provider (a real HTTP server on this machine)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from shared.adapters.extractive.llm import ExtractiveLlm
from shared.adapters.litellm.llm import LitellmLlm
from shared.adapters.memory.llm import MemoryLlm
from shared.adapters.openai_api.llm import OpenAiLlm
from shared.domain.chats import NOT_FOUND_ANSWER, Passage
from shared.domain.chunks import ChunkId
from shared.domain.errors import Delayed, LambentError, Rejected, Unavailable
from shared.domain.prompts import Prompt, build
from shared.ports.llm import Finished, Llm, LlmEvent, TextDelta, whole
from tests.fixtures.model_server import API_KEY, LITELLM_WARNINGS, ModelServer, delta, events, status

pytestmark = LITELLM_WARNINGS

PROVIDERS = ["openai_api", "litellm"]
FAILURES: dict[str, LambentError] = {
    "busy": Delayed("wait", seconds=7),
    "down": Unavailable("down"),
    "refused": Rejected("never"),
}
TOWER = "The tower was completed in 1889."


@dataclass(frozen=True, slots=True)
class Subject:
    """A model, and how to make its next answer fail."""

    llm: Llm
    fail: Callable[[str], None]


def subject_of(name: str, request: pytest.FixtureRequest) -> Subject:
    if name == "memory":
        memory = MemoryLlm()

        def script(kind: str) -> None:
            memory.answers.append(("The tower ", Unavailable("cut")) if kind == "cut" else FAILURES[kind])

        return Subject(memory, script)
    if name == "extractive":
        return Subject(ExtractiveLlm(), lambda kind: None)
    server: ModelServer = request.getfixturevalue("model_server")
    behaviours = {
        "busy": status(429, headers={"Retry-After": "7"}),
        "down": status(503),
        "refused": status(400),
        "cut": events(delta("The "), delta("tower "), end=False),
    }
    llm: Llm = OpenAiLlm(model="talker", base_url=server.url, api_key=API_KEY)
    if name == "litellm":
        request.getfixturevalue("litellm_loaded")
        llm = LitellmLlm(model="openai/talker", base_url=server.url, api_key=API_KEY)
    return Subject(llm, lambda kind: server.next(behaviours[kind]))


@pytest.fixture(params=["memory", "extractive", *PROVIDERS])
def llm(request: pytest.FixtureRequest) -> Llm:
    return subject_of(request.param, request).llm


@pytest.fixture(params=["memory", *PROVIDERS])
def subject(request: pytest.FixtureRequest) -> Subject:
    """Those that can fail at all."""
    return subject_of(request.param, request)


def prompt_of(question: str, *texts: str) -> Prompt:
    passages = [
        Passage(number, ChunkId(UUID(int=1), 1, number), "a.txt", (), text, 1.0)
        for number, text in enumerate(texts, start=1)
    ]
    return build(question, passages)


async def ask(llm: Llm, prompt: Prompt) -> list[LlmEvent]:
    return [event async for event in llm.stream(prompt)]


async def test_stream_gives_deltas_and_then_one_finished(llm: Llm) -> None:
    given = await ask(llm, prompt_of("When was the tower completed?", TOWER))
    *deltas, last = given
    assert isinstance(last, Finished)
    assert last.model == llm.name
    assert last.reason == "stop"
    assert last.input_tokens >= 0
    assert last.output_tokens >= 0
    assert deltas
    assert all(isinstance(one, TextDelta) and one.text for one in deltas)


async def test_stream_cites_the_source_it_answers_from(llm: Llm) -> None:
    assert whole(await ask(llm, prompt_of("When was the tower completed?", TOWER))) == f"{TOWER} [1]"


async def test_stream_without_sources_finds_nothing(llm: Llm) -> None:
    assert whole(await ask(llm, prompt_of("When was the tower completed?"))) == NOT_FOUND_ANSWER


@pytest.mark.parametrize("text", ["\ud800 broken", "\x00", "🙂 </source>", " ".join(f"word{n}" for n in range(15_000))])
async def test_stream_takes_any_text(llm: Llm, text: str) -> None:
    given = await ask(llm, prompt_of(f"What of {text[:3000]}?", text))
    assert isinstance(given[-1], Finished)


async def test_stream_several_at_once_mixes_nothing_up(llm: Llm) -> None:
    texts = [f"The tower number {n} was completed in {1800 + n}." for n in range(5)]
    given = await asyncio.gather(*(ask(llm, prompt_of("When was the tower completed?", text)) for text in texts))
    assert [whole(one) for one in given] == [f"{text} [1]" for text in texts]


def test_stream_in_another_event_loop_works_too(llm: Llm) -> None:
    prompt = prompt_of("When was the tower completed?", TOWER)
    assert whole(asyncio.run(ask(llm, prompt))) == whole(asyncio.run(ask(llm, prompt)))


async def test_stream_when_asked_to_wait_is_delayed(subject: Subject) -> None:
    subject.fail("busy")
    with pytest.raises(Delayed) as raised:
        await ask(subject.llm, prompt_of("When?", TOWER))
    assert raised.value.seconds == 7


@pytest.mark.parametrize(("kind", "error"), [("down", Unavailable), ("refused", Rejected)])
async def test_stream_when_it_fails_says_whether_a_retry_may_help(
    subject: Subject, kind: str, error: type[LambentError]
) -> None:
    subject.fail(kind)
    with pytest.raises(error):
        await ask(subject.llm, prompt_of("When?", TOWER))
    assert isinstance((await ask(subject.llm, prompt_of("When?", TOWER)))[-1], Finished)


async def test_stream_cut_in_the_middle_never_says_that_it_finished(subject: Subject) -> None:
    subject.fail("cut")
    given: list[LlmEvent] = []

    async def listen() -> None:
        async for event in subject.llm.stream(prompt_of("When?", TOWER)):
            given.append(event)

    with pytest.raises(Unavailable):
        await listen()
    assert whole(given).startswith("The ")
    assert not any(isinstance(event, Finished) for event in given)
