"""Users: people who sign in. They belong to no tenant; memberships bind them to any number."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.domain.errors import Invalid
from shared.domain.roles import RoleRef
from shared.domain.tenants import NIL, Principal, PrincipalKind

MAX_EMAIL = 254
EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}"
    r"[A-Za-z0-9]"
)
"""ASCII alone: no two addresses that look the same are two users, and every mail service can deliver to it."""
MIN_PASSWORD = 10
MAX_PASSWORD = 256


@dataclass(frozen=True, slots=True)
class UserScope:
    """What one signed-in user may do about themselves. It cannot be empty.

    Raises:
        ValueError: the user is missing.
    """

    user_id: UUID
    session_id: UUID | None = None
    """The session that the request came by; None outside one."""
    address: str = field(default="", compare=False)
    """The IP address of whoever asks, for the record; '' when no request asks."""

    def __post_init__(self) -> None:
        if not isinstance(self.user_id, UUID) or self.user_id == NIL:
            raise ValueError("a user scope needs a user")

    @property
    def principal(self) -> Principal:
        """The user as an actor."""
        return Principal(PrincipalKind.USER, str(self.user_id))


@dataclass(frozen=True, slots=True)
class User:
    """A person."""

    id: UUID
    email: str
    name: str
    created_at: datetime
    verified_at: datetime | None = None
    """When it was proven that the address is theirs."""
    disabled_at: datetime | None = None
    """No credential of theirs is good any more, of whatever kind."""

    @property
    def email_key(self) -> str:
        """What makes the address the same as another."""
        return email_key(self.email)


@dataclass(frozen=True, slots=True)
class Identity:
    """A user as another party knows them (OpenID Connect): issuer and subject together."""

    user_id: UUID
    issuer: str
    subject: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Belonging:
    """One of a user's organisations, as the user sees it."""

    tenant_id: UUID
    name: str
    role: RoleRef | None
    role_name: str
    created_at: datetime
    suspended_at: datetime | None


def clean_email(email: str) -> str:
    """Trim an address.

    Raises:
        Invalid: it is none.
    """
    email = email.strip()
    if len(email) > MAX_EMAIL or not EMAIL.fullmatch(email) or ".." in email or email[0] == "." or ".@" in email:
        raise Invalid("that is no e-mail address that mail can be sent to", code="invalid_email")
    return email


def email_key(email: str) -> str:
    """What makes two addresses the same: capitals do not tell them apart."""
    return email.strip().lower()


def check_password(password: str, *others: str) -> None:
    """See that a new password is worth having.

    Args:
        password: as typed.
        others: what it must not be: address, name.

    Raises:
        Invalid: too short, too long, of one character, or equal to one of the others.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Invalid(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters", code="weak_password")
    if len(set(password)) < 4 or password.lower() in {other.lower() for other in others if other}:
        raise Invalid("this password is too easily guessed", code="weak_password")
