"""The loaded model: tokeniser and ONNX Runtime session. Imported only when something is embedded."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from shared.adapters.local_model.files import MODEL, TOKENIZER

MAX_CHARACTERS = 32_000
"""Far more than 256 tokens take; a book handed over by mistake is not tokenised whole."""


class Session:
    """Texts to unit vectors, one text a run, several runs at once.

    One text a run because activations are quantised by their range over the whole input: in a batch a vector would
    depend on its neighbours, and padding would be computed for nothing. Two single-threaded runs side by side
    measured faster than one batch on two threads, at a third of the memory.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self._threads = threads
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # The graph is already in its final form; looking for improvements costs a third of the loading time.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        # Texts differ in length; an arena would keep the largest of everything.
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(str(folder / MODEL), options, providers=["CPUExecutionProvider"])

    def vectors(self, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        """Vectors in the order of the texts, and the tokens read."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch([_clean(text) for text in texts])]
        if len(tokens) == 1:
            return [self._vector(tokens[0])], len(tokens[0])
        made: list[list[float]] = [[]] * len(tokens)
        # Longest first, so that no thread is left alone with a long one at the end.
        order = sorted(range(len(tokens)), key=lambda index: -len(tokens[index]))
        with ThreadPoolExecutor(self._threads) as pool:
            for index, vector in zip(order, pool.map(self._vector, [tokens[index] for index in order]), strict=True):
                made[index] = vector
        return made, sum(map(len, tokens))

    def _vector(self, ids: list[int]) -> list[float]:
        (vector,) = self._session.run(["vector"], {"ids": np.array([ids], np.int32)})
        values: list[float] = vector[0].tolist()
        return values


def _clean(text: str) -> str:
    """A text the tokeniser takes: bounded, and without lone surrogates, which are not Unicode text."""
    return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
