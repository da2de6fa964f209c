"""Embeddings without a model: texts that share words get similar vectors."""

import math
import zlib
from collections import deque
from collections.abc import Sequence

from shared.domain.collections import EmbeddingModel
from shared.domain.errors import LambentError
from shared.domain.function_words import FUNCTION_WORDS
from shared.domain.words import prefix_stem, words
from shared.ports.embedder import Embeddings, Purpose

MODEL = EmbeddingModel("memory/hashed-words", 384, 256)


class MemoryEmbedder:
    """Implements `shared.ports.embedder.Embedder` by hashing word stems into signed buckets (Weinberger et al. 2009,
    arXiv 0902.2206).

    `failures` are raised by the next calls, first one first; `calls` remembers every batch that was embedded.
    """

    def __init__(self, model: EmbeddingModel = MODEL, *, batch_size: int = 64) -> None:
        self.model = model
        self.batch_size = batch_size
        self.remote = True
        self.failures: deque[LambentError] = deque()
        self.calls: list[tuple[tuple[str, ...], Purpose]] = []

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embeddings:
        """See the port.

        Raises:
            ValueError: no text, or more than `batch_size`.
            LambentError: the next scripted failure.
        """
        if not 1 <= len(texts) <= self.batch_size:
            raise ValueError(f"{len(texts)} texts; 1 to {self.batch_size} are embedded at once")
        if self.failures:
            raise self.failures.popleft()
        self.calls.append((tuple(texts), purpose))
        read = [words(text)[: self.model.max_tokens] for text in texts]
        return Embeddings([self._vector(found) for found in read], sum(map(len, read)))

    def _vector(self, found: Sequence[str]) -> list[float]:
        vector = [0.0] * self.model.dimensions
        for word in found:
            bucket = zlib.crc32(prefix_stem(word).encode("utf-8", "replace"))
            # Words of every text still tell equal texts from others, but weigh little.
            weight = 0.05 if word in FUNCTION_WORDS else 1.0
            vector[(bucket >> 1) % len(vector)] += weight if bucket & 1 else -weight
        length = math.sqrt(sum(value * value for value in vector))
        if not length:
            # A text without words, or whose words cancel out, still has a direction.
            return [1.0, *vector[1:]]
        return [value / length for value in vector]
