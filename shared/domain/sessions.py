"""Sign-ins that last: a session is a family of refresh tokens, each good for once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

REFRESH_LIFE = timedelta(days=30)
"""A session that is not used for so long is over."""
SESSION_LIFE = timedelta(days=180)
"""However much it is used, a session ends then."""
ACCESS_LIFE = timedelta(minutes=10)
TOKEN_PREFIX = "lar_"  # noqa: S105 - public: what tells a refresh token from other text


class Ended(StrEnum):
    """Why a session was revoked."""

    SIGNED_OUT = "signed_out"
    REVOKED = "revoked"
    REUSED = "reused"
    """A refresh token of it came a second time: one of the two who sent it was a thief."""
    CREDENTIALS_CHANGED = "credentials_changed"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class UserSession:
    """One sign-in of a user on one device."""

    id: UUID
    user_id: UUID
    method: str
    """`password`, or the issuer that vouched for the user."""
    client: str
    """What the client called itself."""
    address: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_reason: str = ""

    def live(self, now: datetime) -> bool:
        """True while its tokens are good."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token of a session's family, as stored: never the token itself."""

    user_id: UUID
    session_id: UUID
    token_hash: str
    created_at: datetime
    used_at: datetime | None = None


def session_end(created_at: datetime, now: datetime) -> datetime:
    """When a session ends that is used now."""
    return min(now + REFRESH_LIFE, created_at + SESSION_LIFE)
