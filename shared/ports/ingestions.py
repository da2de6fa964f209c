"""Rows of ingestion runs and of what happened in them.

Whoever locks both locks documents first, then the run: every method here that writes holds the run's row until the
transaction ends, so it comes last.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.documents import GenerationState
from shared.domain.ingestions import Ingestion, IngestionEvent, Member, News, Tally
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.tenants import Scope, TenantScope
from shared.ports.documents import DueGeneration


class Ingestions(Protocol):
    """Storage of runs, inside the current transaction and the scope's project."""

    async def add(self, scope: Scope, ingestion: Ingestion) -> None:
        """Store a new run."""
        ...

    async def get(self, scope: Scope, ingestion_id: UUID) -> Ingestion | None:
        """One run."""
        ...

    async def list(
        self, scope: Scope, collection_id: UUID | None, after: After | None, limit: int
    ) -> Sequence[Ingestion]:
        """Runs of the project, or of one collection, newest first."""
        ...

    async def lock(self, scope: Scope, ingestion_id: UUID) -> Ingestion | None:
        """One run, locked until the transaction ends."""
        ...

    async def save(self, scope: Scope, ingestion: Ingestion) -> None:
        """Write back when a locked run was closed, cancelled and completed, its trouble, and nothing else."""
        ...

    async def join(self, scope: Scope, ingestion_id: UUID, now: datetime) -> Ingestion | None:
        """Take in one more version, closing the run with the last expected one; None when it takes no more.

        The version is written before, in the same transaction.
        """
        ...

    async def happened(self, scope: Scope, ingestion_id: UUID, news: Sequence[News], now: datetime) -> bool:
        """Append events, and find out whether the run is complete.

        A closed run whose generations have all ended completes, with an event that tells so; one that has unfinished
        ones again is complete no longer. Returns True when it completed by this.
        """
        ...

    async def purge(self, scope: TenantScope, subject: Subject, limit: int) -> int:
        """Remove the events of runs within a deleted collection, project or tenant, up to `limit`, and their names.

        Returns how many rows that concerned.
        """
        ...

    async def tallies(self, scope: Scope, ingestion_id: UUID) -> Sequence[Tally]:
        """Its generations by state and reason, in one look."""
        ...

    async def members(
        self, scope: Scope, ingestion_id: UUID, state: GenerationState | None, after: UUID | None, limit: int
    ) -> Sequence[Member]:
        """Its documents with their latest generation in the run, by document id, from behind `after`."""
        ...

    async def unfinished(self, scope: Scope, ingestion_id: UUID, limit: int) -> Sequence[DueGeneration]:
        """Generations of the run that have not ended, by document id."""
        ...

    async def failed(
        self, scope: Scope, ingestion_id: UUID, before: datetime, after: UUID | None, limit: int
    ) -> Sequence[DueGeneration]:
        """Latest generations of the run's documents that failed before a moment, by document id, from behind `after`.

        Not those that were cancelled, nor those of deleted documents, nor those whose file was taken up again or
        followed by a newer one since. What was made of an older file since, for another index, changes nothing; neither
        does a further try with the same file, outside the run, that failed before the moment as well.
        """
        ...

    async def troubled(self, scope: Scope, limit: int) -> Sequence[Ingestion]:
        """Runs of the project in whose way something is, the newest first; none of a deleted collection."""
        ...

    async def events(self, scope: Scope, ingestion_id: UUID, after: int, limit: int) -> Sequence[IngestionEvent]:
        """What happened after the event of that number, in order."""
        ...
