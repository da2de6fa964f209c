"""Requests and responses about users."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from shared.domain.users import MAX_PASSWORD
from shared.runtime.schemas import Body, Out


class UserOut(Out):
    """A user."""

    id: UUID
    email: str
    name: str
    created_at: datetime
    verified_at: datetime | None


class UserChange(Body):
    """What one may change of oneself."""

    name: str = Field(min_length=1, max_length=255)


class Goodbye(Body):
    """Says that you are sure."""

    password: str = Field(min_length=1, max_length=MAX_PASSWORD)


class BelongingOut(Out):
    """One of your organisations."""

    id: UUID = Field(validation_alias="tenant_id")
    name: str
    role: str = Field(validation_alias="role_name")
    created_at: datetime
    suspended_at: datetime | None


class BelongingList(Out):
    """Your organisations, the oldest membership first."""

    items: list[BelongingOut]
