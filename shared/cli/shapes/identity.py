"""A user, their sign-ins and the organisations they belong to, as the API answers."""

from typing import TypedDict

from shared.cli.shapes import Json


class User(TypedDict):
    """A user."""

    id: str
    email: str
    name: str
    created_at: str
    verified_at: str | None


class Belonging(TypedDict):
    """One of a user's organisations."""

    id: str
    name: str
    role: str
    created_at: str
    suspended_at: str | None


class Registered(TypedDict):
    """A new user, with the organisation and the project that were made for them."""

    user_id: str
    org_id: str
    project_id: str


class Signed(TypedDict):
    """A sign-in."""

    user_id: str
    session_id: str
    access_token: str
    refresh_token: str
    expires_in: int


class Provider(TypedDict):
    """Somebody who vouches for users."""

    name: str
    title: str
    issuer: str
    redirect_uris: list[str]


class Known(TypedDict):
    """A user, as a provider knows them."""

    issuer: str
    subject: str
    created_at: str


class Begun(TypedDict):
    """A sign-in that goes on at a provider."""

    authorization_url: str
    state: str
    binding: str
    expires_in: int


class Moved(TypedDict):
    """A user with another address."""

    id: str
    email: str
    verified_at: str


class SignIn(TypedDict):
    """A sign-in that lasts, as it is listed."""

    id: str
    method: str
    client: str
    address: str
    created_at: str
    used_at: str
    expires_at: str
    present: bool


class AccountEvent(TypedDict):
    """Something that happened to a user's account."""

    id: str
    at: str
    action: str
    address: str
    client: str
    session_id: str | None
    details: Json
