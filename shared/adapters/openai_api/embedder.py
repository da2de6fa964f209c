"""Embeddings from an OpenAI-compatible endpoint."""

import base64
import binascii
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from shared.adapters.openai_api.endpoint import Body, Endpoint
from shared.domain.collections import EmbeddingModel
from shared.domain.errors import Rejected, Unavailable
from shared.domain.providers import CHARACTERS_PER_TOKEN, sendable, tokens_of, unit_vector
from shared.ports.embedder import Embeddings, Purpose

SECONDS = 60.0
MAX_ANSWER = 32 * 1024 * 1024
_SHORTENED = ("text-embedding-3", "gemini-embedding")
"""Models whose vectors can be asked for shorter than they are; others refuse the parameter."""
_TOO_LONG = (
    "context length",
    "context_length",
    "maximum input",
    "too long",
    "too many tokens",
    "maximum number of tokens",
)


@dataclass(frozen=True, slots=True)
class _Read:
    vectors: list[list[float]]
    tokens: int


class OpenAiEmbedder:
    """Implements `shared.ports.embedder.Embedder` over `POST /embeddings`."""

    batch_size = 64
    remote = True

    def __init__(
        self, embedding_model: EmbeddingModel, *, model: str, base_url: str, api_key: str, seconds: float = SECONDS
    ) -> None:
        """Contacts nobody.

        Args:
            embedding_model: name, dimensions and window as collections remember them.
            model: the provider's name for it.
            base_url: of the endpoint, from the settings; empty for OpenAI.
            api_key: from the settings.
            seconds: for one call.
        """
        self.model = embedding_model
        self._name = model
        self._endpoint = Endpoint(base_url, api_key)
        self._seconds = seconds

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embeddings:
        """See the port. These models treat questions and documents alike.

        Raises:
            ValueError: no text, or more than 64.
            Delayed: 429.
            Rejected: the provider will never take these texts.
            Unavailable: anything transient or malformed.
        """
        if not 1 <= len(texts) <= self.batch_size:
            raise ValueError(f"{len(texts)} texts; 1 to {self.batch_size} are embedded at once")
        window = self.model.max_tokens
        try:
            return await self._embed([sendable(text, window * CHARACTERS_PER_TOKEN) for text in texts])
        except Rejected as error:
            # Scripts that take about a token a character reach the window sooner.
            if not any(words in error.detail.lower() for words in _TOO_LONG):
                raise
            return await self._embed([sendable(text, window) for text in texts])

    async def _embed(self, texts: list[str]) -> Embeddings:
        body: Body = {"model": self._name, "input": texts, "encoding_format": "base64"}
        if self._name.rpartition("/")[2].startswith(_SHORTENED):
            body["dimensions"] = self.model.dimensions
        answer = await self._endpoint.json("/embeddings", body, seconds=self._seconds, limit=MAX_ANSWER)
        read = _read(answer, len(texts), self.model.dimensions)
        return Embeddings(read.vectors, read.tokens or tokens_of(sum(map(len, texts))))


def _read(answer: object, count: int, dimensions: int) -> _Read:
    """Vectors in the order of the texts.

    Raises:
        Unavailable: the answer is an error, incomplete, or of another shape than promised.
    """
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(data, list):
        raise Unavailable("the model provider answered without embeddings", code="model_malformed")
    if len(data) != count:
        raise Unavailable(
            f"the model provider answered {len(data)} embeddings for {count} texts", code="model_malformed"
        )
    placed: dict[int, list[float]] = {}
    for position, item in enumerate(data):
        if not isinstance(item, dict):
            raise Unavailable("the model provider answered something that is no embedding", code="model_malformed")
        index = item.get("index", position)
        placed[index if isinstance(index, int) else position] = unit_vector(_floats(item.get("embedding")), dimensions)
    if placed.keys() != set(range(count)):
        raise Unavailable("the model provider left out some of the embeddings", code="model_malformed")
    usage = answer.get("usage")
    tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return _Read([placed[index] for index in range(count)], tokens if isinstance(tokens, int) else 0)


def _floats(value: object) -> list[float]:
    """Floats as a JSON list, or as base64 of little-endian 32-bit floats."""
    try:
        if isinstance(value, str):
            packed = array("f")
            packed.frombytes(base64.b64decode(value, validate=True))
            return packed.tolist()
        if isinstance(value, list):
            return [float(number) for number in value]
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        raise Unavailable("the model provider's embedding is not made of numbers", code="model_malformed") from error
    raise Unavailable("the model provider's embedding is not made of numbers", code="model_malformed")
