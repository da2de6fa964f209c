"""Vectors of texts by the local model, kept on disk from one run to the next."""

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.adapters.local_model.build import WEIGHTS_SHA256
from shared.adapters.local_model.files import DIMENSIONS, FORMAT
from shared.ports.embedder import Embedder, Purpose

MADE_BY = f"{WEIGHTS_SHA256}/{FORMAT}"


class Kept:
    """A file of vectors, found by what was embedded. Made in batches that are kept as they are done, so that a run that
    is ended early has not worked for nothing.
    """

    def __init__(self, path: Path, embedder: Embedder) -> None:
        self._file = sqlite3.connect(path)
        self._file.execute("CREATE TABLE IF NOT EXISTS vectors (hash BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
        self._embedder = embedder
        self.made = 0
        """How many were not in the file."""

    async def vectors(self, texts: Sequence[str], purpose: Purpose) -> NDArray[np.float32]:
        """Unit vectors, float32 [texts, dimensions], in the order of the texts."""
        hashes = [self._hash(text, purpose) for text in texts]
        missing = {hash: text for hash, text in zip(hashes, texts, strict=True) if self._found(hash) is None}
        wanted, size = list(missing.items()), self._embedder.batch_size
        for first in range(0, len(wanted), size):
            batch = wanted[first : first + size]
            embedded = await self._embedder.embed([text for _, text in batch], purpose)
            rows = [
                (hash, np.array(vector, np.float32).tobytes())
                for (hash, _), vector in zip(batch, embedded.vectors, strict=True)
            ]
            with self._file:
                self._file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            self.made += len(rows)
        values = b"".join(self._found(hash) or b"" for hash in hashes)
        return np.frombuffer(values, np.float32).reshape(len(texts), DIMENSIONS)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _found(self, hash: bytes) -> bytes | None:
        row: tuple[bytes] | None = self._file.execute("SELECT vector FROM vectors WHERE hash = ?", [hash]).fetchone()
        return None if row is None else row[0]

    @staticmethod
    def _hash(text: str, purpose: Purpose) -> bytes:
        # Texts with lone surrogates are texts too.
        return hashlib.sha256(f"{MADE_BY}\0{purpose}\0{text}".encode(errors="surrogatepass")).digest()
