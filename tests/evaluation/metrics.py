"""How good a ranking is, by the grades of what it found: each in 0-1, higher is better."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

DEPTH = 10
"""How many of the best are looked at."""


def ndcg(ranked: Sequence[str], grades: Mapping[str, int]) -> float:
    """Discounted cumulative gain (Järvelin and Kekäläinen 2002) with the grade itself as gain, over the best possible.

    Args:
        ranked: ids, best first, none twice.
        grades: how relevant each id is; what is not named is not relevant. At least one is above 0.
    """
    ideal = sorted(grades.values(), reverse=True)
    return _gain([grades.get(id, 0) for id in ranked]) / _gain(ideal)


def recall(ranked: Sequence[str], grades: Mapping[str, int]) -> float:
    """Share of what is relevant that is among the best; arguments as those of `ndcg`."""
    relevant = {id for id, grade in grades.items() if grade > 0}
    return len(relevant.intersection(ranked[:DEPTH])) / len(relevant)


def reciprocal_rank(ranked: Sequence[str], grades: Mapping[str, int]) -> float:
    """One over the place of the first that is relevant, 0 when none of the best is; arguments as those of `ndcg`."""
    return next((1 / place for place, id in enumerate(ranked[:DEPTH], 1) if grades.get(id, 0) > 0), 0.0)


def _gain(grades: Sequence[int]) -> float:
    return math.fsum(grade / math.log2(place + 1) for place, grade in enumerate(grades[:DEPTH], 1))


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over the questions that have something relevant."""

    ndcg: float
    recall: float
    mrr: float
    empty: int
    """Questions that nothing was found for."""


def quality(rankings: Mapping[str, Sequence[str]], relevant: Mapping[str, Mapping[str, int]]) -> Quality:
    """The means over the questions with a relevant text.

    Args:
        rankings: for each question the ids found, best first; a question that is not named found nothing.
        relevant: for each question the grades of texts.
    """
    judged = {question: grades for question, grades in relevant.items() if any(grade > 0 for grade in grades.values())}
    pairs = [(rankings.get(question, ()), grades) for question, grades in judged.items()]

    def mean(of: Callable[[Sequence[str], Mapping[str, int]], float]) -> float:
        return math.fsum(of(ranked, grades) for ranked, grades in pairs) / len(pairs)

    return Quality(mean(ndcg), mean(recall), mean(reciprocal_rank), sum(not ranked for ranked, _ in pairs))
