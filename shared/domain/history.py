"""What happened to a user's account. It belongs to no organisation: a user may be in several, or in none.

So it lies with the user, who alone reads it; what somebody does in an organisation is in that one's trail (`audit`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

KEPT = timedelta(days=180)
"""How long an event is kept: addresses of people are in it."""
KEPT_OF_NOBODY = timedelta(hours=1)
"""What is noted of an account that does not exist, so that it costs as much as of one that does."""


class Happened(StrEnum):
    """The thing and what happened to it."""

    CREATED = "user.created"
    CLOSED = "user.closed"
    SIGNED_IN = "sign_in.succeeded"
    REFUSED = "sign_in.failed"
    LOCKED_OUT = "sign_in.locked_out"
    """It failed once too often: whoever tries next has to wait."""
    SIGNED_OUT = "session.ended"
    REUSED = "session.reused"
    """A refresh token came a second time; the session was ended."""
    PASSWORD_RESET = "password.reset"  # noqa: S105 - an event, no secret
    PASSWORD_CHANGED = "password.changed"  # noqa: S105
    PASSWORD_REFUSED = "password.refused"  # noqa: S105
    """A signed-in session did not know it."""
    LINKED = "identity.linked"
    UNLINKED = "identity.unlinked"
    MOVED = "email.changed"


@dataclass(frozen=True, slots=True)
class UserEvent:
    """Something that happened to an account."""

    id: UUID
    user_id: UUID
    at: datetime
    action: str
    address: str
    """The IP address it was asked from; '' when that is not known."""
    expires_at: datetime
    client: str = ""
    """What the client called itself."""
    session_id: UUID | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    """JSON; never a secret."""
