"""Embeddings made in this process: no provider, no key, no network."""

import asyncio
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.adapters.local_model.files import DIMENSIONS, FILES, MAX_TOKENS, NAME
from shared.domain.collections import EmbeddingModel
from shared.domain.errors import Unavailable
from shared.ports.embedder import Embeddings, Purpose

if TYPE_CHECKING:
    from shared.adapters.local_model.session import Session


class LocalEmbedder:
    """all-MiniLM-L6-v2 from a folder of prepared files (see `build.prepare`).

    Equal text gives an equal vector, whatever it is embedded with. The model is loaded by the first `embed`.
    """

    batch_size = 64
    remote = False
    model = EmbeddingModel(NAME, DIMENSIONS, MAX_TOKENS)

    def __init__(self, path: Path, threads: int = 0) -> None:
        """Loads nothing.

        Args:
            path: the folder.
            threads: texts embedded side by side; 0 for as many as this process may use processors.
        """
        self._path = path
        self._threads = threads or len(os.sched_getaffinity(0))
        self._session: Session | None = None
        self._loading = threading.Lock()

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embeddings:
        """Embed 1 to 64 texts; this model treats questions and documents alike.

        Raises:
            ValueError: no text, or too many.
            Unavailable: the model's files are missing or damaged.
        """
        if not 1 <= len(texts) <= self.batch_size:
            raise ValueError(f"{len(texts)} texts; 1 to {self.batch_size} are embedded at once")
        vectors, tokens = await asyncio.to_thread(self._vectors, texts)
        return Embeddings(vectors, tokens)

    def _vectors(self, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        with self._loading:
            if self._session is None:
                self._session = self._load()
        return self._session.vectors(texts)

    def _load(self) -> "Session":
        absent = [name for name in FILES if not (self._path / name).is_file()]
        if absent:
            raise Unavailable(
                f"the local embedding model is not prepared: {' and '.join(absent)} missing in {self._path}",
                code="model_missing",
                hint=f"run `python -m shared.adapters.local_model.build {self._path}`",
            )
        from shared.adapters.local_model.session import Session

        return Session(self._path, self._threads)
