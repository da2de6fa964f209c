"""BM25, exactly: how a chunk's words and a question's words become sparse vectors whose inner product is the score.

    weight(t, d) = tf · (k1 + 1) / (tf + k1 · (1 − b + b · dl / avgdl))        in the chunk's vector
    idf(t)       = ln(1 + (N − df + 0.5) / (df + 0.5))                          in the question's vector

Robertson and Zaragoza 2009 for the weight; the idf is the variant Lucene uses, which is never negative. `avgdl` is
frozen per collection, so that a new chunk does not change the vectors of all others; when the true mean has drifted
by a factor of two the collection is encoded anew.
"""

import math
import zlib
from collections.abc import Mapping

K1 = 1.2
B = 0.75
DIMENSIONS = 2**29
"""Dimensions of the sparse vectors: terms are hashed to an index. 100,000 distinct terms give about ten collisions."""

DRIFT = 2.0
"""Encode anew when the mean length is this many times the frozen one, or that part of it."""


def term_index(term: str) -> int:
    """The dimension of a term, 0 to 2^29 - 1."""
    return zlib.crc32(term.encode(errors="surrogatepass")) % DIMENSIONS


def indexed(frequencies: Mapping[str, int]) -> dict[int, int]:
    """Frequencies by dimension, in order; terms that share a dimension are added up."""
    pairs = [(term_index(term), frequency) for term, frequency in frequencies.items() if frequency > 0]
    counts = dict(sorted(pairs))
    if len(counts) < len(pairs):
        counts = dict.fromkeys(counts, 0)
        for index, frequency in pairs:
            counts[index] += frequency
    return counts


def _saturation(length: int, average: float) -> float:
    return K1 * (1 - B + B * length / average) if average > 0 else K1


def encode(counts: Mapping[int, int], length: int, average: float) -> dict[int, float]:
    """A chunk's weights.

    Args:
        counts: frequency by dimension.
        length: terms in the chunk, repeats counted.
        average: mean length of the collection's chunks.
    """
    saturation = _saturation(length, average)
    return {index: count * (K1 + 1) / (count + saturation) for index, count in counts.items()}


def decode(weights: Mapping[int, float], length: int, average: float) -> dict[int, int]:
    """The frequencies that gave these weights: the weight is strictly increasing in tf, so it can be undone.

    Exact for frequencies up to a few thousand even when the weights are 32-bit floats.
    """
    saturation = _saturation(length, average)
    return {index: max(1, round(saturation * weight / (K1 + 1 - weight))) for index, weight in weights.items()}


def idf(chunks: int, containing: int) -> float:
    """Weight of a term in a question.

    Args:
        chunks: N, all chunks of the collection.
        containing: df, those with the term.
    """
    return math.log(1 + (chunks - containing + 0.5) / (containing + 0.5))


def score(query: Mapping[int, float], weights: Mapping[int, float]) -> float:
    """The inner product."""
    return sum(value * weights[index] for index, value in query.items() if index in weights)


def drifted(frozen: float, mean: float) -> bool:
    """Whether the collection is to be encoded anew."""
    return mean > 0 and not frozen / DRIFT < mean < frozen * DRIFT
