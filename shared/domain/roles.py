"""What each role may do. The built-in ones are data here; an organisation adds sets of permissions of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.domain.errors import Forbidden, Invalid
from shared.domain.tenants import KEY_PERMISSIONS, Permission

P = Permission


class BuiltIn(StrEnum):
    """The roles that every organisation has."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"


type RoleRef = BuiltIn | UUID
"""A built-in role, or the id of one of the organisation's own."""

VIEWER = frozenset(
    {
        P.HEALTH_READ,
        P.ORGS_READ,
        P.UNITS_READ,
        P.PROJECTS_READ,
        P.COLLECTIONS_READ,
        P.DOCUMENTS_READ,
        P.SEARCH_QUERY,
        P.CHATS_READ,
        P.CHATS_WRITE,
    }
)
EDITOR = VIEWER | {
    P.COLLECTIONS_WRITE,
    P.DOCUMENTS_WRITE,
    P.DOCUMENTS_DELETE,
    P.MEMBERS_READ,
    P.ROLES_READ,
    P.WEBHOOKS_READ,
    P.ACCESS_READ,
    P.KEYS_READ,
    P.KEYS_WRITE,
}
PERMISSIONS: Mapping[BuiltIn, frozenset[Permission]] = {
    BuiltIn.OWNER: KEY_PERMISSIONS,
    BuiltIn.ADMIN: KEY_PERMISSIONS - {P.TENANT_DELETE},
    BuiltIn.EDITOR: EDITOR,
    BuiltIn.VIEWER: VIEWER,
}
BY_NAME = {permission.value: permission for permission in Permission}


@dataclass(frozen=True, slots=True)
class Role:
    """A role of an organisation's own: a named set of permissions.

    Raises:
        Invalid: it holds nothing, or something that nobody can be given.
    """

    id: UUID
    tenant_id: UUID
    name: str
    description: str
    permissions: frozenset[Permission]
    created_at: datetime

    def __post_init__(self) -> None:
        if not self.permissions:
            raise Invalid("a role needs at least one permission", code="invalid_role")
        if not self.permissions <= KEY_PERMISSIONS:
            raise Invalid("a role holds a permission that nobody can be given", code="invalid_role")


def known(names: Iterable[str]) -> frozenset[Permission]:
    """Permissions by name. One of a newer version of the code is one that this version cannot grant."""
    return frozenset(BY_NAME[name] for name in names if name in BY_NAME)


def held(roles: Iterable[str], permissions: Iterable[str]) -> frozenset[Permission]:
    """What somebody may do who has these built-in roles, by name, and these permissions of other roles."""
    whole = known(permissions) & KEY_PERMISSIONS
    for name in roles:
        whole |= PERMISSIONS[BuiltIn(name)] if name in BuiltIn else frozenset()
    return whole


def require_within(giver: frozenset[Permission], given: frozenset[Permission]) -> None:
    """See that nobody gives what they do not hold.

    Raises:
        Forbidden: naming what is missing.
    """
    missing = sorted(given - giver)
    if missing:
        raise Forbidden(
            f"nobody can give more than they hold; missing: {', '.join(missing)}",
            code="beyond_own_rights",
            hint="give fewer permissions, or ask somebody who holds them",
        )
