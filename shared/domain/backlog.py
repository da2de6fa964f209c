"""Everything that waits, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.documents import Document, Generation, GenerationState
from shared.domain.ingestions import Ingestion


@dataclass(frozen=True, slots=True)
class BacklogLine:
    """Versions that wait at one step for one reason."""

    state: GenerationState
    reason: str
    """What a provider or this system said they wait for, else the code of the last error; empty: only their turn."""
    count: int
    oldest: datetime
    """Since when the longest of them has been at this step."""
    overdue: int
    """Past their deadline: the sweep is to act on them."""
    leased: int
    """Held by a worker now."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """Messages in the outbox whose sender died after its commit; the sweep sends them."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in one project."""

    lines: Sequence[BacklogLine]
    """The most frequent first."""
    longest: Sequence[tuple[Document, Generation]]
    """Those that have been at their step for the longest time."""
    failed: Mapping[str, int]
    """Documents whose latest version failed, by the code of the failure."""
    deleting: int
    """Documents that are deleted and not yet swept."""
    unsent: Unsent
    """Of the whole tenant."""
    runs: Sequence[Ingestion] = ()
    """Ingestion runs for which something was asked that cannot be carried out at the moment, or was given up."""
