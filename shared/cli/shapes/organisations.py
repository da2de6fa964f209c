"""An organisation, its people, roles, units, keys and what was done in it, as the API answers."""

from typing import NotRequired, TypedDict

from shared.cli.shapes import Json


class Org(TypedDict):
    """An organisation."""

    id: str
    name: str
    created_at: str


class Member(TypedDict):
    """A member; of a unit or a project, the address and the name are not told."""

    user_id: str
    email: NotRequired[str]
    name: NotRequired[str]
    role: str | None
    created_at: str
    suspended_at: NotRequired[str | None]


class Invitation(TypedDict):
    """An invitation."""

    id: str
    email: str
    role: str | None
    unit_id: str | None
    project_id: str | None
    invited_by: str
    created_at: str
    expires_at: str
    accepted_at: str | None
    accepted_by: str | None
    revoked_at: str | None


class Role(TypedDict):
    """A role of the organisation's own."""

    id: str
    name: str
    description: str
    permissions: list[str]
    created_at: str


class BuiltInRole(TypedDict):
    """A role that every organisation has."""

    name: str
    permissions: list[str]


class Roles(TypedDict):
    """Every role."""

    built_in: list[BuiltInRole]
    items: list[Role]


class Unit(TypedDict):
    """An org unit."""

    id: str
    parent_id: str | None
    name: str
    created_at: str


class ApiKey(TypedDict):
    """A key; `secret` is there once, when it is made. When the answer was lost and asked for again it is withheld."""

    id: str
    prefix: str
    name: str
    permissions: list[str]
    project_id: str | None
    user_id: str | None
    service_account_id: str | None
    created_by: str
    created_at: str | None
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    secret: NotRequired[str]
    secret_withheld: NotRequired[bool]


class Account(TypedDict):
    """A service account."""

    id: str
    name: str
    description: str
    role: str
    project_id: str | None
    created_by: str
    created_at: str
    disabled_at: str | None


class AuditEvent(TypedDict):
    """Something that somebody did."""

    id: str
    at: str
    action: str
    actor: str
    subject_kind: str
    subject_id: str
    project_id: str | None
    address: str
    details: Json


class Reader(TypedDict):
    """Somebody a list admits."""

    kind: str
    id: str


class AccessList(TypedDict):
    """Who may read."""

    readers: list[Reader] | None
    source: str | None
    standing: str
    fresh_until: str | None
    problem: str | None
    set_at: str | None
    set_by: str | None
    admits_you: bool


class AccessAnswer(TypedDict):
    """One thing that has to be so."""

    question: str
    passed: bool
    words: str


class Verdict(TypedDict):
    """Whether a user may read a document."""

    allowed: bool
    answers: list[AccessAnswer]
    hint: str
