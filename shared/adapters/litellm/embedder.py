"""Embeddings from any provider litellm knows."""

import asyncio
from collections.abc import Sequence

from shared.adapters.litellm.library import call, load
from shared.domain.collections import EmbeddingModel
from shared.domain.errors import Unavailable
from shared.domain.providers import CHARACTERS_PER_TOKEN, sendable, tokens_of, unit_vector
from shared.ports.embedder import Embeddings, Purpose

SECONDS = 60.0


class LitellmEmbedder:
    """Implements `shared.ports.embedder.Embedder`."""

    batch_size = 64
    remote = True

    def __init__(
        self, embedding_model: EmbeddingModel, *, model: str, base_url: str, api_key: str, seconds: float = SECONDS
    ) -> None:
        """Contacts nobody and imports nothing.

        Args:
            embedding_model: name, dimensions and window as collections remember them.
            model: litellm's name for it, with the provider: 'cohere/embed-v4.0'.
            base_url: only where the provider has no address of its own; from the settings.
            api_key: from the settings.
            seconds: for one call.
        """
        self.model = embedding_model
        self._name = model
        self._base_url = base_url or None
        self._key = api_key
        self._seconds = seconds

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embeddings:
        """See the port. Providers that tell questions from documents are told.

        Raises:
            ValueError: no text, or more than 64.
            Delayed: 429.
            Rejected: the provider will never take these texts.
            Unavailable: anything transient or malformed.
        """
        if not 1 <= len(texts) <= self.batch_size:
            raise ValueError(f"{len(texts)} texts; 1 to {self.batch_size} are embedded at once")
        cut = [sendable(text, self.model.max_tokens * CHARACTERS_PER_TOKEN) for text in texts]
        more: dict[str, str] = {}
        if self._name.startswith(("cohere/", "bedrock/cohere.")):
            more["input_type"] = "search_query" if purpose is Purpose.QUERY else "search_document"
        deadline = asyncio.get_running_loop().time() + self._seconds
        made = load().aembedding(
            model=self._name,
            input=cut,
            api_base=self._base_url,
            api_key=self._key,
            timeout=self._seconds,
            num_retries=0,
            max_retries=0,
            encoding_format="float",
            **more,
        )
        answer = await call(made, deadline, self._key)
        vectors = _vectors(getattr(answer, "data", None), len(texts), self.model.dimensions)
        counted = getattr(getattr(answer, "usage", None), "prompt_tokens", 0)
        return Embeddings(vectors, counted or tokens_of(sum(map(len, cut))))


def _vectors(data: object, count: int, dimensions: int) -> list[list[float]]:
    """Unit vectors in the order of the texts.

    Raises:
        Unavailable: too few, out of place, of another length than promised, or no numbers.
    """
    if not isinstance(data, list) or len(data) != count:
        raise Unavailable("the model provider did not answer one embedding a text", code="model_malformed")
    placed: dict[int, list[float]] = {}
    for position, item in enumerate(data):
        index = _part(item, "index")
        values = _part(item, "embedding")
        if not isinstance(values, list) or not all(isinstance(value, int | float) for value in values):
            raise Unavailable("the model provider's embedding is not made of numbers", code="model_malformed")
        placed[index if isinstance(index, int) else position] = unit_vector(values, dimensions)
    if placed.keys() != set(range(count)):
        raise Unavailable("the model provider left out some of the embeddings", code="model_malformed")
    return [placed[index] for index in range(count)]


def _part(item: object, name: str) -> object:
    return item.get(name) if isinstance(item, dict) else getattr(item, name, None)
