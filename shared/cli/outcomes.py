"""How files ended, and who is told while they are on their way."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

from shared.cli.pipeline import in_order
from shared.cli.shapes.documents import Counts
from shared.cli.sources import Source

NO_COUNTS: Counts = {"pages": 0, "characters": 0, "chunks": 0, "embedded": 0, "reused": 0}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one file ended.

    Attributes:
        result: indexed, unchanged (the same content was served already), failed, superseded (a newer version overtook
            it), deleted, sent (nobody waited), pending (patience ended).
        code, reason: of a failure.
        timings: milliseconds in each step of the pipeline.
        seconds: from the first byte read here to its end.
    """

    path: str
    result: str
    document_id: str = ""
    version: int = 0
    code: str = ""
    reason: str = ""
    counts: Counts = field(default_factory=lambda: NO_COUNTS)
    timings: Mapping[str, int] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    duplicate_of: str | None = None
    bytes: int = 0
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


class Watcher(Protocol):
    """Who is told how it goes."""

    def planned(self, sources: Sequence[Source]) -> None:
        """These will be sent."""

    def sent(self, count: int) -> None:
        """So many bytes more were sent."""

    def moved(self, path: str, state: str) -> None:
        """A document is in this state now."""

    def ended(self, outcome: Outcome) -> None:
        """A document is done."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What is attached to every document."""

    tags: Sequence[str] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)


def by_stage(outcomes: Sequence[Outcome]) -> list[tuple[str, float, float]]:
    """Median and longest milliseconds of each step over the documents that took it, in the pipeline's order."""
    spent: dict[str, list[int]] = {}
    for one in outcomes:
        for name, took in one.timings.items():
            spent.setdefault(name, []).append(took)
    return [(name, statistics.median(spent[name]), max(spent[name])) for name in in_order(dict.fromkeys(spent, 0.0))]


def failed(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that did not end well."""
    return [one for one in outcomes if one.result in {"failed", "pending"}]
