"""Tables of who belongs to a tenant, and of what they did there."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.adapters.postgres.schema import Instant, metadata, tenant_column


def _of_tenant() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"])


def _to(table: str, column: str, key: str = "id", *, cascade: bool = False) -> ForeignKeyConstraint:
    ondelete = "CASCADE" if cascade else None
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.{key}"], ondelete=ondelete)


def _role() -> tuple[Column[str], Column[object]]:
    """A built-in role by name, or one of the tenant's own by id."""
    return Column("role", Text), Column("role_id", Uuid)


units = Table(
    "units",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("parent_id", Uuid),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    _of_tenant(),
    _to("units", "parent_id"),
    CheckConstraint("parent_id <> id", name="units_not_within_itself"),
    UniqueConstraint("tenant_id", "parent_id", "name", name="units_name", postgresql_nulls_not_distinct=True),
)

roles = Table(
    "roles",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("permissions", ARRAY(Text), nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    _of_tenant(),
    UniqueConstraint("tenant_id", "name", name="roles_name"),
)

memberships = Table(
    "memberships",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, nullable=False),
    *_role(),
    Column("created_at", Instant, nullable=False),
    Column("suspended_at", Instant),
    PrimaryKeyConstraint("tenant_id", "user_id"),
    _of_tenant(),
    ForeignKeyConstraint(["user_id"], ["users.user_id"]),
    _to("roles", "role_id"),
    CheckConstraint("num_nonnulls(role, role_id) <= 1", name="memberships_one_role"),
    Index("memberships_of_user", "user_id"),
    Index("memberships_listing", "tenant_id", "created_at", "user_id"),
)

unit_members = Table(
    "unit_members",
    metadata,
    tenant_column(),
    Column("unit_id", Uuid, nullable=False),
    Column("user_id", Uuid, nullable=False),
    *_role(),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "unit_id", "user_id"),
    _to("units", "unit_id", cascade=True),
    _to("memberships", "user_id", "user_id", cascade=True),
    _to("roles", "role_id"),
    CheckConstraint("num_nonnulls(role, role_id) <= 1", name="unit_members_one_role"),
    Index("unit_members_of_user", "tenant_id", "user_id"),
)

project_members = Table(
    "project_members",
    metadata,
    tenant_column(),
    Column("project_id", Uuid, nullable=False),
    Column("user_id", Uuid, nullable=False),
    *_role(),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "project_id", "user_id"),
    _to("projects", "project_id"),
    _to("memberships", "user_id", "user_id", cascade=True),
    _to("roles", "role_id"),
    CheckConstraint("num_nonnulls(role, role_id) = 1", name="project_members_one_role"),
    Index("project_members_of_user", "tenant_id", "user_id"),
)

service_accounts = Table(
    "service_accounts",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("project_id", Uuid),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    *_role(),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    PrimaryKeyConstraint("tenant_id", "id"),
    _of_tenant(),
    _to("projects", "project_id"),
    _to("roles", "role_id"),
    CheckConstraint("num_nonnulls(role, role_id) = 1", name="service_accounts_one_role"),
    UniqueConstraint("tenant_id", "name", name="service_accounts_name"),
    Index("service_accounts_listing", "tenant_id", "created_at", "id"),
)

invitations = Table(
    "invitations",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    *_role(),
    Column("unit_id", Uuid),
    Column("project_id", Uuid),
    Column("invited_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("accepted_at", Instant),
    Column("accepted_by", Uuid),
    Column("revoked_at", Instant),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("token_hash"),
    _of_tenant(),
    _to("roles", "role_id"),
    _to("units", "unit_id", cascade=True),
    _to("projects", "project_id"),
    CheckConstraint("num_nonnulls(role, role_id) <= 1", name="invitations_one_role"),
    CheckConstraint("num_nonnulls(unit_id, project_id) <= 1", name="invitations_one_place"),
    Index("invitations_listing", "tenant_id", "created_at", "id"),
)

audit_events = Table(
    "audit_events",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("at", Instant, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("project_id", Uuid),
    Column("address", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    _of_tenant(),
    Index("audit_events_listing", "tenant_id", "at", "id"),
    Index("audit_events_of_actor", "tenant_id", "actor", "at", "id"),
    Index("audit_events_of_subject", "tenant_id", "subject_kind", "subject_id", "at", "id"),
)
