"""Requests and responses about users."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
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


class UserEventOut(Out):
    """Something that happened to your account."""

    id: UUID
    at: datetime
    action: str
    address: str = Field(description="the IP address that the request came from")
    client: str
    session_id: UUID | None
    details: Mapping[str, Any]


class UserEventPage(Out):
    """A page of events; send `next` back as `cursor`."""

    items: list[UserEventOut]
    next: str | None
