"""What a person who uses the system may expect of it, in the simplest terms."""

from dataclasses import dataclass, field
from uuid import UUID

from shared.domain.receipts import SubjectKind


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that the object store took."""

    document: UUID
    slot: int
    """The generation its form was for."""
    version_id: str
    body: bytes
    at: float


@dataclass(slots=True)
class Model:
    """What was acknowledged to the clients."""

    uploads: dict[str, Upload] = field(default_factory=dict)
    """By version id, in the order they were taken."""
    deleted: dict[UUID, float] = field(default_factory=dict)
    """Documents whose deletion was answered, and when."""
    rooms_deleted: dict[UUID, SubjectKind] = field(default_factory=dict)
    """Collections, projects and tenants whose deletion was answered, and what it was that was deleted."""
    runs_cancelled: set[UUID] = field(default_factory=set)
    """Those that somebody asked to cancel."""
    last: float = 0.0
    """When a client last asked for something."""

    def of(self, document: UUID) -> list[Upload]:
        """Uploads of one document, oldest first."""
        return [one for one in self.uploads.values() if one.document == document]
