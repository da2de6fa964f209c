"""Tables of users and of what they sign in with: outside all tenants."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table, Text, Uuid
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import JSONB

from shared.adapters.postgres.schema import Instant, metadata

users = Table(
    "users",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("verified_at", Instant),
    Column("disabled_at", Instant),
    Unique("email_key"),
)

passwords = Table(
    "passwords",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    ForeignKeyConstraint(["user_id"], ["users.user_id"]),
)

identities = Table(
    "identities",
    metadata,
    Column("user_id", Uuid, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("user_id", "issuer", "subject"),
    Unique("issuer", "subject"),
    ForeignKeyConstraint(["user_id"], ["users.user_id"]),
)

sessions = Table(
    "sessions",
    metadata,
    Column("user_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("method", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_reason", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "id"),
    ForeignKeyConstraint(["user_id"], ["users.user_id"]),
    Index("sessions_listing", "user_id", "created_at", "id"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("user_id", Uuid, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("session_id", Uuid, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
    PrimaryKeyConstraint("user_id", "token_hash"),
    Unique("token_hash"),
    ForeignKeyConstraint(["user_id", "session_id"], ["sessions.user_id", "sessions.id"], ondelete="CASCADE"),
    Index("refresh_tokens_of_session", "user_id", "session_id"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("kind", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    PrimaryKeyConstraint("kind", "secret_hash"),
    Index("tickets_expiry", "expires_at"),
)

user_events = Table(
    "user_events",
    metadata,
    Column("user_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("at", Instant, nullable=False),
    Column("action", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("session_id", Uuid),
    Column("details", JSONB, nullable=False),
    Column("expires_at", Instant, nullable=False),
    PrimaryKeyConstraint("user_id", "id"),
    Index("user_events_listing", "user_id", "at", "id"),
    Index("user_events_expiry", "expires_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("blocked_until", Instant),
    Index("attempts_age", "at"),
)
