"""Proof of a delete: after the sweep every store is asked again, and the answers are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """One delete: when it was accepted, what was removed, and what was left when every store was asked again."""

    id: UUID
    tenant_id: UUID
    project_id: UUID
    document_id: UUID
    requested_by: str
    requested_at: datetime
    completed_at: datetime | None
    removed: Mapping[str, int]
    """By store: chunks, vectors, cache, uploads, work."""
    remaining: Mapping[str, int]
    """By store, counted after the sweep; complete only when all are zero."""

    @property
    def complete(self) -> bool:
        """True when the sweep ran and nothing is left anywhere."""
        return self.completed_at is not None and not any(self.remaining.values())
