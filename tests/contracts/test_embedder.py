"""What every embedder must do: in memory, in this process, and at a provider (a real HTTP server on this machine)."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from shared.adapters.litellm.embedder import LitellmEmbedder
from shared.adapters.local_model.embedder import LocalEmbedder
from shared.adapters.memory.embedder import MemoryEmbedder
from shared.adapters.openai_api.embedder import OpenAiEmbedder
from shared.domain.collections import EmbeddingModel
from shared.domain.errors import Delayed, LambentError, Rejected, Unavailable
from shared.ports.embedder import Embedder, Embeddings, Purpose
from tests.fixtures.model_server import API_KEY, DIMENSIONS, LITELLM_WARNINGS, ModelServer, status

pytestmark = LITELLM_WARNINGS

PROVIDERS = ["openai_api", "litellm"]
FAILURES: dict[str, LambentError] = {
    "busy": Delayed("wait", seconds=7),
    "down": Unavailable("down"),
    "refused": Rejected("never"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """An embedder, and how to make its next call fail."""

    embedder: Embedder
    fail: Callable[[str], None]


def provider_of(name: str, server: ModelServer) -> Embedder:
    model = EmbeddingModel(f"{name}/words", DIMENSIONS, 256)
    if name == "litellm":
        return LitellmEmbedder(model, model="openai/words", base_url=server.url, api_key=API_KEY)
    return OpenAiEmbedder(model, model="words", base_url=server.url, api_key=API_KEY)


def subject_of(name: str, request: pytest.FixtureRequest) -> Subject:
    if name == "memory":
        memory = MemoryEmbedder()
        return Subject(memory, lambda kind: memory.failures.append(FAILURES[kind]))
    if name == "local":
        return Subject(LocalEmbedder(request.getfixturevalue("local_model"), threads=2), lambda kind: None)
    server: ModelServer = request.getfixturevalue("model_server")
    if name == "litellm":
        request.getfixturevalue("litellm_loaded")
    answers = {"busy": status(429, headers={"Retry-After": "7"}), "down": status(503), "refused": status(400)}
    return Subject(provider_of(name, server), lambda kind: server.next(answers[kind]))


@pytest.fixture(params=["memory", "local", *PROVIDERS])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return subject_of(request.param, request).embedder


@pytest.fixture(params=["memory", *PROVIDERS])
def subject(request: pytest.FixtureRequest) -> Subject:
    """Those that can fail at all."""
    return subject_of(request.param, request)


def similarity(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


async def vectors(embedder: Embedder, *texts: str) -> Sequence[Sequence[float]]:
    return (await embedder.embed(texts, Purpose.DOCUMENT)).vectors


def test_model_is_known_before_anything_is_loaded(embedder: Embedder) -> None:
    assert embedder.model.dimensions > 0
    assert "/" in embedder.model.name
    assert embedder.batch_size >= 1


async def test_embed_gives_unit_vectors_in_the_order_of_the_texts(embedder: Embedder) -> None:
    texts = ["the cat sleeps", "a very long " * 30 + "story of bees", "stock prices fell"]
    embeddings = await embedder.embed(texts, Purpose.DOCUMENT)
    assert len(embeddings.vectors) == 3
    assert embeddings.tokens > 0
    for vector in embeddings.vectors:
        assert len(vector) == embedder.model.dimensions
        assert all(isinstance(value, float) for value in vector)
        assert math.isclose(similarity(vector, vector), 1.0, abs_tol=1e-4)
    for text, vector in zip(reversed(texts), await vectors(embedder, *reversed(texts)), strict=True):
        assert vector == pytest.approx(embeddings.vectors[texts.index(text)], abs=1e-5)


async def test_embed_of_equal_text_gives_the_equal_vector_in_any_company(embedder: Embedder) -> None:
    alone = (await vectors(embedder, "bees make honey"))[0]
    among = await vectors(embedder, "x", "bees make honey", "a much longer text about something else " * 20)
    assert among[1] == pytest.approx(alone, abs=1e-5)


async def test_embed_puts_texts_that_share_words_nearer(embedder: Embedder) -> None:
    query, near, far = await vectors(
        embedder, "how do bees make honey", "bees make honey", "interest rates rose sharply"
    )
    assert similarity(query, near) > similarity(query, far)


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\x00", "\ud800 broken", "🙂👩‍👩‍👧", "word " * 50_000, "x" * 100_000, "ก" * 3000]
)
async def test_embed_takes_any_text(embedder: Embedder, text: str) -> None:
    for purpose in Purpose:
        (vector,) = (await embedder.embed([text], purpose)).vectors
        assert math.isclose(similarity(vector, vector), 1.0, abs_tol=1e-4)


async def test_embed_takes_a_whole_batch_and_refuses_more_or_none(embedder: Embedder) -> None:
    full = await vectors(embedder, *(f"text number {n}" for n in range(embedder.batch_size)))
    assert len(full) == embedder.batch_size
    for wrong in ([], ["one too many"] * (embedder.batch_size + 1)):
        with pytest.raises(ValueError, match="embedded at once"):
            await embedder.embed(wrong, Purpose.DOCUMENT)


async def test_embed_several_times_at_once_mixes_nothing_up(embedder: Embedder) -> None:
    texts = [f"a text about subject {n}" for n in range(6)]
    expected = await vectors(embedder, *texts)
    found = await asyncio.gather(*(vectors(embedder, text) for text in texts))
    for vector, alone in zip(expected, found, strict=True):
        assert alone[0] == pytest.approx(vector, abs=1e-5)


def test_embed_in_another_event_loop_works_too(embedder: Embedder) -> None:
    async def once() -> Embeddings:
        return await embedder.embed(["bees"], Purpose.QUERY)

    assert asyncio.run(once()).vectors[0] == pytest.approx(asyncio.run(once()).vectors[0], abs=1e-5)


async def test_embed_when_asked_to_wait_is_delayed(subject: Subject) -> None:
    subject.fail("busy")
    with pytest.raises(Delayed) as raised:
        await vectors(subject.embedder, "bees")
    assert raised.value.seconds == 7


@pytest.mark.parametrize(("kind", "error"), [("down", Unavailable), ("refused", Rejected)])
async def test_embed_when_it_fails_says_whether_a_retry_may_help(
    subject: Subject, kind: str, error: type[LambentError]
) -> None:
    subject.fail(kind)
    with pytest.raises(error):
        await vectors(subject.embedder, "bees")
    assert len(await vectors(subject.embedder, "bees")) == 1
