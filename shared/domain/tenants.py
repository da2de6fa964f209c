"""Who asks, for whom, and what they may do."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.domain.errors import Forbidden

NIL = UUID(int=0)
READER = re.compile(r"(?:user|unit|role|service_account|key):[0-9a-z_-]{1,64}|everyone")
"""What a reader's name looks like: it travels as text, between commas."""


class Permission(StrEnum):
    """One right. A role is a set of these; a scope carries the ones its principal has."""

    HEALTH_READ = "health:read"
    PROJECTS_READ = "projects:read"
    PROJECTS_WRITE = "projects:write"
    COLLECTIONS_READ = "collections:read"
    COLLECTIONS_WRITE = "collections:write"
    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_WRITE = "documents:write"
    DOCUMENTS_DELETE = "documents:delete"
    TENANT_DELETE = "tenant:delete"
    DOCUMENTS_PROCESS = "documents:process"
    """Held by the ingestion stages only; no API key can carry it."""
    SEARCH_QUERY = "search:query"
    CHATS_READ = "chats:read"
    CHATS_WRITE = "chats:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    """Whoever holds it decides where the project's events are sent."""
    ORGS_READ = "orgs:read"
    ORGS_WRITE = "orgs:write"
    UNITS_READ = "units:read"
    UNITS_WRITE = "units:write"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    """Invitations too. Nobody gives anybody more than they hold themselves."""
    ROLES_READ = "roles:read"
    ROLES_WRITE = "roles:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    SERVICE_ACCOUNTS_READ = "service_accounts:read"
    SERVICE_ACCOUNTS_WRITE = "service_accounts:write"
    AUDIT_READ = "audit:read"
    ACCESS_READ = "access:read"
    """Who may read a document or a collection, and why."""
    ACCESS_WRITE = "access:write"
    """Whoever holds it decides who may read a document or a collection."""


KEY_PERMISSIONS = frozenset(Permission) - {Permission.DOCUMENTS_PROCESS}
"""What an API key may carry at the most."""


OF_EVERY_PROJECT = frozenset(
    {
        Permission.TENANT_DELETE,
        Permission.ORGS_WRITE,
        Permission.UNITS_WRITE,
        Permission.MEMBERS_WRITE,
        Permission.ROLES_WRITE,
        Permission.AUDIT_READ,
    }
)
"""What reaches into every project when it is used on the organisation. A key of one project has these there alone."""


class PrincipalKind(StrEnum):
    """What sort of actor a principal is."""

    API_KEY = "api_key"
    USER = "user"
    SERVICE_ACCOUNT = "service_account"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Principal:
    """The verified actor behind a request or a queue message."""

    kind: PrincipalKind
    id: str

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a principal needs an id")

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class TenantScope:
    """What one principal may do within one tenant. It can be neither empty nor a wildcard.

    Raises:
        ValueError: the tenant is missing, there is no permission at all, or something is no reader's name.
    """

    tenant_id: UUID
    principal: Principal
    permissions: frozenset[Permission]
    address: str = field(default="", kw_only=True)
    """The IP address that the request came from; '' when no request asked."""
    readers: frozenset[str] = field(default=frozenset(), kw_only=True)
    """The names by which access lists admit it, besides what is everyone's: see `shared.domain.access`."""

    def __post_init__(self) -> None:
        if not isinstance(self.tenant_id, UUID) or self.tenant_id == NIL:
            raise ValueError("a scope needs a tenant")
        if not self.permissions:
            raise ValueError("a scope needs at least one permission")
        if not all(isinstance(permission, Permission) for permission in self.permissions):
            raise ValueError("a scope holds permissions only, no patterns")
        if not all(map(READER.fullmatch, self.readers)):
            raise ValueError("a scope holds names of readers only, no patterns")

    @property
    def admitted(self) -> frozenset[str] | None:
        """Whose documents it reads: those that admit one of these names; None, for the system alone, all of them."""
        return None if self.principal.kind is PrincipalKind.SYSTEM else self.readers

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless the principal holds `permission`."""
        if permission not in self.permissions:
            raise Forbidden(
                f"this credential lacks the permission {permission}",
                hint="use a credential that has it, or ask an administrator of the project to grant it",
            )


@dataclass(frozen=True, slots=True)
class Scope(TenantScope):
    """A tenant scope narrowed to one project: what nearly every use case and every repository takes.

    Raises:
        ValueError: tenant or project missing, or no permission at all.
    """

    project_id: UUID

    def __post_init__(self) -> None:
        # Named class: zero-argument super() does not survive dataclass(slots=True).
        TenantScope.__post_init__(self)
        if not isinstance(self.project_id, UUID) or self.project_id == NIL:
            raise ValueError("a scope needs a project")


def system_scope(tenant_id: UUID, project_id: UUID, name: str) -> Scope:
    """The scope of an ingestion stage or schedule, for ids taken from a message that this system wrote itself."""
    return Scope(
        tenant_id=tenant_id,
        project_id=project_id,
        principal=Principal(PrincipalKind.SYSTEM, name),
        permissions=frozenset({Permission.DOCUMENTS_PROCESS, Permission.DOCUMENTS_READ, Permission.DOCUMENTS_DELETE}),
    )


def system_tenant(tenant_id: UUID, name: str) -> TenantScope:
    """The scope of a schedule in a whole tenant, for ids that this system read itself."""
    return TenantScope(tenant_id, Principal(PrincipalKind.SYSTEM, name), frozenset({Permission.DOCUMENTS_PROCESS}))


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organisation: projects and keys belong to exactly one."""

    id: UUID
    name: str
    created_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A room of one tenant: collections, chats and keys belong to exactly one."""

    id: UUID
    tenant_id: UUID
    name: str
    created_at: datetime
    deleted_at: datetime | None = None
    unit_id: UUID | None = None
    """The org unit it lies in; who has a role there, or above, has it here."""
    archived_at: datetime | None = None
    """Nobody works in it until it is taken out of the archive."""


@dataclass(frozen=True, slots=True)
class Credential:
    """An API key as stored: never the key itself."""

    id: UUID
    tenant_id: UUID
    project_id: UUID | None
    """None: the key may name any project of its tenant."""
    name: str
    permissions: frozenset[Permission]
    expires_at: datetime | None
    revoked_at: datetime | None
    prefix: str = ""
    """The beginning of the secret, by which its owner knows it again."""
    created_by: str = ""
    created_at: datetime | None = None
    user_id: UUID | None = None
    """The member it acts for: it may never do more than they may now, and ends with their membership."""
    service_account_id: UUID | None = None
    """The same, of a service account. Neither: a key of the organisation itself."""
    last_used_at: datetime | None = None
    """To within five minutes."""

    @property
    def confined(self) -> bool:
        """Whether it is for one project alone: one that may make projects can name any other."""
        return self.project_id is not None and Permission.PROJECTS_WRITE not in self.permissions

    def valid(self, now: datetime) -> bool:
        """True while the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A key that somebody showed, and where it is to be used."""

    credential: Credential
    """With the permissions it has there now."""
    project_id: UUID | None
    """The project that was asked for, or else the key's own; None: there is no such project in its tenant."""
    archived_at: datetime | None = None
    """When that project was archived."""
    readers: frozenset[str] = frozenset()
    """The names by which access lists admit it there."""
