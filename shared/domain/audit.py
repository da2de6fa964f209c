"""The trail of who did what. Events are added, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that somebody did in an organisation."""

    id: UUID
    tenant_id: UUID
    at: datetime
    action: str
    """`member.added`: the thing and what happened to it."""
    actor: str
    """A principal as text: `user:…`, `api_key:…`."""
    subject_kind: str
    subject_id: str
    project_id: UUID | None = None
    address: str = ""
    """The IP address it was asked from; '' when no request asked for it."""
    details: Mapping[str, object] = field(default_factory=dict)
    """JSON; never a secret."""
