"""Requests and responses about signing in."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.domain.users import MAX_EMAIL, MAX_PASSWORD
from shared.runtime.schemas import Body, Out

EMAIL = Field(min_length=3, max_length=MAX_EMAIL)
PASSWORD = Field(min_length=1, max_length=MAX_PASSWORD)
TOKEN = Field(min_length=1, max_length=200)

REDIRECT = Field(min_length=1, max_length=2000, description="one of the provider's redirect URIs, to the letter")

type ProviderName = Annotated[str, Field(min_length=1, max_length=32)]


class Registration(Body):
    """Somebody who wants to come in."""

    email: str = EMAIL
    password: str = PASSWORD
    name: str = Field(min_length=1, max_length=255)
    organisation: str = Field(min_length=1, max_length=255, description="the name of the organisation it makes")


class Confirmation(Body):
    """The code that was mailed, and the password that was chosen."""

    token: str = TOKEN
    password: str = PASSWORD


class Credentials(Body):
    """Who signs in."""

    email: str = EMAIL
    password: str = PASSWORD


class Refresh(Body):
    """A refresh token that was not used before."""

    refresh_token: str = TOKEN


class Forgotten(Body):
    """Whose password is forgotten."""

    email: str = EMAIL


class Reset(Body):
    """The code that was mailed, and another password."""

    token: str = TOKEN
    password: str = PASSWORD


class Change(Body):
    """The present password, and another one."""

    present: str = PASSWORD
    password: str = PASSWORD


class Accepted(Out):
    """The same whether the address has an account or not."""

    detail: str = "a message is on its way to this address"


class RegisteredOut(Out):
    """A new user with an organisation of their own."""

    user_id: UUID
    org_id: UUID
    project_id: UUID


class SignedOut(Out):
    """A sign-in. Both tokens are in this answer and nowhere else."""

    user_id: UUID
    session_id: UUID
    access_token: str
    refresh_token: str
    expires_in: int = Field(description="seconds that the access token is good for")


class SessionOut(Out):
    """A sign-in that lasts."""

    id: UUID
    method: str
    client: str
    address: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    present: bool = False


class SessionList(Out):
    """Sessions, newest first."""

    items: list[SessionOut]


class Ended(Out):
    """How many sessions were ended."""

    sessions: int


class ProviderOut(Out):
    """Somebody who vouches for users."""

    name: str
    title: str
    issuer: str
    redirect_uris: list[str]


class ProviderList(Out):
    """Who vouches for users here."""

    items: list[ProviderOut]


class IdentityOut(Out):
    """You, as another party knows you."""

    issuer: str
    subject: str
    created_at: datetime


class IdentityList(Out):
    """You, as other parties know you."""

    items: list[IdentityOut]


class Beginning(Body):
    """Where to come back to."""

    redirect_uri: str = REDIRECT


class Linking(Body):
    """Where to come back to, and that it is you who asks."""

    redirect_uri: str = REDIRECT
    password: str = PASSWORD


class BegunOut(Out):
    """A sign-in that goes on elsewhere."""

    authorization_url: str
    state: str = Field(description="comes back with the code; compare it")
    binding: str = Field(description="keep it where you are; it goes into no URL, and nobody else can finish without")
    expires_in: int = Field(description="seconds until it must have come back")


class Return(Body):
    """What you came back with, and what was kept."""

    code: str = Field(min_length=1, max_length=4000)
    state: str = TOKEN
    binding: str = TOKEN
    iss: str | None = Field(default=None, max_length=2000, description="if it came back too (RFC 9207)")


class Move(Body):
    """Another address, and that it is you who asks."""

    email: str = EMAIL
    password: str = PASSWORD


class Moved(Body):
    """The code that was mailed to it."""

    token: str = TOKEN


class MovedOut(Out):
    """You, with another address."""

    id: UUID
    email: str
    verified_at: datetime
