"""What an access token says."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """A signed-in user and the session they came by. What they may do is never in a token: it is looked up."""

    user_id: UUID
    session_id: UUID
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Access:
    """A signed-in user, where they want to work, and nothing yet of what they may do there."""

    tenant_id: UUID | None
    """None: they belong to no such organisation, or to several and named none."""
    project_id: UUID | None
    archived_at: datetime | None
    organisations: int
    """How many they belong to."""
    roles: tuple[str, ...]
    """Built-in roles they hold there, by name."""
    permissions: tuple[str, ...]
    """What their other roles there hold, by name."""
    readers: frozenset[str] = frozenset()
    """The names by which access lists admit them there."""
