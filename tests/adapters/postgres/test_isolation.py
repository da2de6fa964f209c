"""The walls between tenants, as the database itself keeps them.

Every probe has two controls: where the walls do not apply it must find the other tenant's rows, or it proves nothing;
and with a wall taken down it must find them too, or it would not notice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import LiteralString, cast
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from shared.adapters.postgres.catalogue import metadata
from shared.adapters.postgres.rows import PgRows
from shared.adapters.postgres.store import PgStore
from shared.domain.audit import AuditEvent
from shared.domain.chats import Chat, Citation, Message
from shared.domain.chats import Role as Speaker
from shared.domain.chunks import ChunkId
from shared.domain.events import Outgoing, Queue
from shared.domain.idempotency import Claim, KeptAnswer
from shared.domain.ingestions import Happening, Ingestion, News
from shared.domain.members import Invitation, Membership, ProjectMember, ServiceAccount, Unit, UnitMember
from shared.domain.questions import Expected, Question
from shared.domain.receipts import DeletionReceipt, Subject, SubjectKind
from shared.domain.roles import BuiltIn, Role
from shared.domain.tenants import Credential, Permission, Scope
from shared.domain.users import UserScope
from shared.domain.webhooks import Delivery, Webhook
from tests.contracts.samples import NOW, Room, a_user, index, new_id, new_room
from tests.fixtures.postgres import PostgresUrls

type Connection = psycopg.Connection[TupleRow]

OF_NOBODY = {"alembic_version", "buckets", "cursors", "attempts", "rates"}
"""Tables whose rows say nothing of anybody."""

OF_USERS = {"users", "passwords", "identities", "sessions", "refresh_tokens", "tickets", "user_events"}
"""Tables behind the users' wall, which test_user_walls is about."""

NOT_TENANTS = OF_NOBODY | OF_USERS
"""Tables without a tenant's data. Any other table must pass, so a new one fails until it is made right."""

APPEND_ONLY = {"ingestion_events", "audit_events"}
"""Tables whose rows nobody may change, not even the tenant's own."""

KEPT_FOR_GOOD = {"audit_events"}
"""Tables whose rows nobody may remove."""

TABLES = sorted({table.name for table in metadata.sorted_tables} - NOT_TENANTS)


@pytest.fixture
def as_app(database: PostgresUrls) -> Iterator[Connection]:
    """The application's role, with no tenant yet."""
    with psycopg.connect(database.app) as connection:
        yield connection


@pytest.fixture
def as_owner(database: PostgresUrls) -> Iterator[Connection]:
    """The role that owns the tables."""
    with psycopg.connect(database.owner) as connection:
        yield connection


def enter(connection: Connection, tenant_id: UUID | None) -> None:
    connection.execute("SELECT set_config('lambent.tenant', %s, true)", [str(tenant_id or "")])


async def furnished(store: PgStore) -> Room:
    """A tenant with rows in every table."""
    room = await new_room(store)
    made = await index(store, room, ["some words"], [(1.0, 0.0, 0.0, 0.0)])
    scope = room.scope
    async with store.transaction(scope) as rows:
        key = Credential(new_id(), scope.tenant_id, None, "key", frozenset({Permission.HEALTH_READ}), None, None)
        await rows.keys.add(scope, key, f"hash of {scope.tenant_id}", NOW)
        await rows.cache.put(scope, "memory/test", {"hash": [1.0]})
        chat = Chat(new_id(), scope.tenant_id, scope.project_id, (), "chat", str(scope.principal), NOW, NOW)
        await rows.chats.add(scope, chat)
        cited = Citation(1, ChunkId(made.id, 1, 0), made.id, "report.pdf", 1, 0, 4, "some", None, (), 1.0)
        said = Message(new_id(), chat.id, Speaker.ASSISTANT, "hello", NOW, citations=(cited,))
        await rows.chats.add_messages(scope, [said])
        receipt = DeletionReceipt(
            new_id(), scope.tenant_id, scope.project_id, Subject(SubjectKind.DOCUMENT, made.id), "key", NOW
        )
        await rows.receipts.save(scope, receipt)
        run = Ingestion(new_id(), scope.tenant_id, scope.project_id, room.collection.id, "run", "key", NOW)
        await rows.ingestions.add(scope, run)
        await rows.ingestions.happened(scope, run.id, [News(Happening.STARTED)], NOW)
        await rows.indexes.ask(scope, room.collection.id, [Question("what?", (Expected(made.id),))])
        hook = Webhook(new_id(), scope.tenant_id, scope.project_id, "https://a.example/", "", True, "key", NOW)
        await rows.webhooks.add(scope, hook)
        sent = Delivery(new_id(), scope.tenant_id, scope.project_id, hook.id, run.id, "kind", "{}", NOW)
        await rows.webhooks.add_delivery(scope, sent)
        await rows.outbox.add(scope, Outgoing(new_id(), Queue.SWEEP, "group", "{}"), NOW)
        asked = Claim(scope.tenant_id, str(scope.principal), "key", "request", NOW)
        await rows.idempotency.keep(asked, KeptAnswer(201, {}, "{}"))
        await people(rows, scope)
        await rows._session.run(
            metadata.tables["vector_indexes"].insert(),
            {
                "tenant_id": scope.tenant_id,
                "index_id": room.collection.id,
                "name": "no_such_index",
                "created_at": NOW,
            },
        )
    return room


async def people(rows: PgRows, scope: Scope) -> None:
    """Rows in every table of who belongs to a tenant."""
    tenant_id, user = scope.tenant_id, a_user()
    await rows.users.add(UserScope(user.id), user, None)
    await rows.members.add(scope, Membership(tenant_id, user.id, BuiltIn.EDITOR, NOW))
    role = Role(new_id(), tenant_id, "reader", "", frozenset({Permission.SEARCH_QUERY}), NOW)
    await rows.roles.add(scope, role)
    unit = Unit(new_id(), tenant_id, None, "north", NOW)
    await rows.units.add(scope, unit)
    await rows.members.put_in_unit(scope, UnitMember(tenant_id, unit.id, user.id, None, NOW))
    await rows.members.put_in_project(scope, ProjectMember(tenant_id, scope.project_id, user.id, role.id, NOW))
    account = ServiceAccount(new_id(), tenant_id, None, "robot", "", BuiltIn.VIEWER, "key", NOW)
    await rows.service_accounts.add(scope, account)
    asked = Invitation(new_id(), tenant_id, "b@example.com", None, None, None, "key", NOW, NOW)
    await rows.invitations.add(scope, asked, f"hash of {asked.id}")
    await rows.audit.add(scope, AuditEvent(new_id(), tenant_id, NOW, "member.added", "key", "user", str(user.id)))


@dataclass(frozen=True, slots=True)
class Probe:
    """What a connection got of another tenant's rows in one table."""

    seen: int
    changed: int
    removed: int
    planted: bool

    @property
    def leaks(self) -> bool:
        return bool(self.seen or self.changed or self.removed or self.planted)


type Row = dict[str, object]


def row_of(as_superuser: Connection, table: str, tenant_id: UUID) -> Row:
    """One of the tenant's rows as it is."""
    query = sql.SQL("SELECT to_jsonb(t) FROM {} t WHERE tenant_id = %s").format(sql.Identifier(table))
    found = as_superuser.execute(query, [tenant_id]).fetchone()
    assert found is not None
    return cast(Row, found[0])


def probe(connection: Connection, table: str, tenant_id: UUID, row: Row) -> Probe:
    """Try to read, change, remove and plant rows of the tenant, and undo it."""

    def attempt(statement: LiteralString) -> int:
        try:
            with connection.transaction(force_rollback=True):
                composed = sql.SQL(statement).format(sql.Identifier(table))
                return connection.execute(composed, {"tenant": tenant_id, "row": Jsonb(row)}).rowcount
        except psycopg.errors.InsufficientPrivilege:
            return 0
        except psycopg.errors.IntegrityError:
            # It is through the wall when it meets another row.
            return 1

    return Probe(
        seen=attempt("SELECT FROM {} WHERE tenant_id = %(tenant)s"),
        changed=attempt("UPDATE {} SET tenant_id = tenant_id WHERE tenant_id = %(tenant)s"),
        removed=attempt("DELETE FROM {} WHERE tenant_id = %(tenant)s"),
        planted=attempt("INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(NULL::{0}, %(row)s)).*")
        > 0,
    )


@pytest.mark.parametrize("table", TABLES)
async def test_rows_of_another_tenant_are_out_of_reach(
    store: PgStore, as_app: Connection, as_superuser: Connection, table: str
) -> None:
    one, other = await furnished(store), await furnished(store)
    theirs = row_of(as_superuser, table, other.scope.tenant_id)
    enter(as_app, one.scope.tenant_id)
    assert not probe(as_app, table, other.scope.tenant_id, theirs).leaks
    mine = row_of(as_superuser, table, one.scope.tenant_id)
    own = probe(as_app, table, one.scope.tenant_id, mine)
    assert own.seen
    assert bool(own.changed) is (table not in APPEND_ONLY)
    assert bool(own.removed) is (table not in KEPT_FOR_GOOD)
    assert own.planted, "positive control: the tenant's own rows are within its reach"


@pytest.mark.parametrize("table", TABLES)
async def test_rows_without_a_tenant_are_out_of_reach(
    store: PgStore, as_app: Connection, as_superuser: Connection, table: str
) -> None:
    one = await furnished(store)
    theirs = row_of(as_superuser, table, one.scope.tenant_id)
    assert not probe(as_app, table, one.scope.tenant_id, theirs).leaks
    enter(as_app, None)
    assert not probe(as_app, table, one.scope.tenant_id, theirs).leaks


@pytest.mark.parametrize("table", TABLES)
async def test_owner_without_a_tenant_reaches_nothing_either(
    store: PgStore, as_owner: Connection, as_superuser: Connection, table: str
) -> None:
    one = await furnished(store)
    theirs = row_of(as_superuser, table, one.scope.tenant_id)
    assert not probe(as_owner, table, one.scope.tenant_id, theirs).leaks
    enter(as_owner, one.scope.tenant_id)
    assert probe(as_owner, table, one.scope.tenant_id, theirs).seen


@pytest.mark.parametrize("table", TABLES)
async def test_probe_of_a_superuser_reaches_everything(store: PgStore, as_superuser: Connection, table: str) -> None:
    one, other = await furnished(store), await furnished(store)
    enter(as_superuser, one.scope.tenant_id)
    theirs = row_of(as_superuser, table, other.scope.tenant_id)
    found = probe(as_superuser, table, other.scope.tenant_id, theirs)
    assert found.seen
    assert found.changed
    assert found.removed
    assert found.planted, "positive control: nothing holds a superuser back"


@pytest.mark.parametrize("table", TABLES)
async def test_probe_notices_a_wall_that_was_taken_down(store: PgStore, as_superuser: Connection, table: str) -> None:
    one, other = await furnished(store), await furnished(store)
    theirs = row_of(as_superuser, table, other.scope.tenant_id)
    with as_superuser.transaction(force_rollback=True):
        as_superuser.execute(sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY").format(sql.Identifier(table)))
        as_superuser.execute("SET LOCAL ROLE lambent_app")
        enter(as_superuser, one.scope.tenant_id)
        found = probe(as_superuser, table, other.scope.tenant_id, theirs)
    assert found.seen
    assert found.planted, "negative control"


@pytest.mark.parametrize(
    ("policy", "notices"),
    [
        ("CREATE POLICY careless ON documents USING (true)", "seen"),
        ("CREATE POLICY careless ON documents FOR INSERT WITH CHECK (true)", "planted"),
        ("ALTER POLICY tenant ON documents WITH CHECK (true)", "planted"),
        ("ALTER POLICY tenant ON documents USING (true)", "seen"),
    ],
)
async def test_probe_notices_a_policy_that_asks_for_nothing(
    store: PgStore, as_superuser: Connection, policy: LiteralString, notices: str
) -> None:
    one, other = await furnished(store), await furnished(store)
    theirs = row_of(as_superuser, "documents", other.scope.tenant_id)
    with as_superuser.transaction(force_rollback=True):
        as_superuser.execute(policy)
        as_superuser.execute("SET LOCAL ROLE lambent_app")
        enter(as_superuser, one.scope.tenant_id)
        assert getattr(probe(as_superuser, "documents", other.scope.tenant_id, theirs), notices)


def faults(connection: Connection) -> list[str]:
    """What is wrong with the walls, table by table, as the catalogue has it."""
    found: list[str] = []
    tables = connection.execute(
        """
        SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        """
    ).fetchall()
    for oid, table, enabled, forced, partition in tables:
        if table in NOT_TENANTS:
            continue
        if not (enabled and forced):
            found.append(f"{table}: row-level security is not forced")
        column = connection.execute(
            "SELECT attnotnull FROM pg_attribute WHERE attrelid = %s AND attname = 'tenant_id'", [oid]
        ).fetchone()
        if column != (True,):
            found.append(f"{table}: tenant_id is missing or may be null")
        found += [f"{table}: {fault}" for fault in policy_faults(connection, table)]
        found += [f"{table}: {fault}" for fault in key_faults(connection, oid)]
        if partition and rights(connection, table):
            found.append(f"{table}: a partition can be reached past its table")
    return found


def policy_faults(connection: Connection, table: str) -> list[str]:
    policies = connection.execute(
        "SELECT policyname, roles::text[], cmd, qual, with_check FROM pg_policies "
        # A restrictive one only takes away from what the others let through.
        "WHERE tablename = %s AND permissive = 'PERMISSIVE'",
        [table],
    ).fetchall()
    found = []
    walls = [row for row in policies if row[1] != ["lambent_clerk"]]
    if len(walls) != 1:
        return [f"it has {len(walls)} policies for everybody, not one"]
    _, roles, command, using, check = walls[0]
    if roles != ["public"] or command != "ALL":
        found.append("its policy is not for everybody and everything")
    for name, expression in (("USING", using), ("WITH CHECK", check)):
        if "tenant_id" not in (expression or "") or "current_setting('lambent.tenant'" not in (expression or ""):
            found.append(f"{name} does not ask for the tenant")
    return found


def key_faults(connection: Connection, oid: int) -> list[str]:
    keys = connection.execute(
        """
        SELECT k.conname, k.contype, k.confrelid::regclass::text,
          ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u (n, i)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i),
          ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u (n, i)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i)
        FROM pg_constraint k WHERE k.conrelid = %s AND k.contype IN ('p', 'f')
        """,
        [oid],
    ).fetchall()
    found = []
    for name, kind, other, columns, others in keys:
        if columns[0] != "tenant_id" and other != "users":
            found.append(f"{name} does not begin with tenant_id")
        # Users belong to no tenant.
        if kind == "f" and others[0] != "tenant_id" and (other, columns) != ("users", ["user_id"]):
            found.append(f"{name} refers to rows of any tenant")
    if not any(kind == "p" for _, kind, *_ in keys):
        found.append("it has no primary key")
    return found


def rights(connection: Connection, table: str, role: str = "lambent_app") -> set[str]:
    rows = connection.execute(
        "SELECT privilege_type FROM information_schema.table_privileges WHERE table_name = %s AND grantee = %s",
        [table, role],
    ).fetchall()
    return {row[0] for row in rows}


def test_catalogue_has_no_fault(as_superuser: Connection) -> None:
    assert faults(as_superuser) == []


@pytest.mark.parametrize(
    "spoil",
    [
        "CREATE TABLE forgotten (id uuid PRIMARY KEY)",
        "CREATE TABLE forgotten (tenant_id uuid NOT NULL, id uuid, PRIMARY KEY (tenant_id, id))",
        "ALTER TABLE documents NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE documents DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON chunks",
        "CREATE POLICY careless ON chunks USING (true)",
        "ALTER POLICY tenant ON chats USING (true)",
        "ALTER POLICY tenant ON chats WITH CHECK (true)",
        "ALTER POLICY tenant ON chats TO lambent_app",
        "ALTER TABLE outbox DROP CONSTRAINT outbox_pkey; ALTER TABLE outbox ADD PRIMARY KEY (id)",
        "ALTER TABLE outbox ADD UNIQUE (id); CREATE TABLE x (tenant_id uuid NOT NULL, id uuid REFERENCES outbox (id))",
        "GRANT SELECT ON vectors_03 TO lambent_app",
        "CREATE TABLE vectors_16 (LIKE vectors)",
    ],
)
def test_catalogue_that_was_spoilt_has_a_fault(as_superuser: Connection, spoil: LiteralString) -> None:
    with as_superuser.transaction(force_rollback=True):
        as_superuser.execute(spoil)
        assert faults(as_superuser)


def test_models_and_catalogue_have_the_same_tables(as_superuser: Connection) -> None:
    rows = as_superuser.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
        "AND NOT relispartition"
    ).fetchall()
    assert {row[0] for row in rows} == {*metadata.tables, "alembic_version"}


def test_application_role_has_no_power(as_superuser: Connection) -> None:
    role = as_superuser.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit, rolcanlogin "
        "FROM pg_roles WHERE rolname = 'lambent_app'"
    ).fetchone()
    assert role == (False, False, False, False, False, False, True)
    owned = as_superuser.execute(
        "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid "
        "WHERE r.rolname = 'lambent_app' AND d.deptype = 'o'"
    ).fetchone()
    assert owned == (0,)
    member = as_superuser.execute(
        "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = 'lambent_app'"
    ).fetchone()
    assert member == (0,)
    for table in TABLES:
        withheld = ({"UPDATE"} if table in APPEND_ONLY else set()) | ({"DELETE"} if table in KEPT_FOR_GOOD else set())
        assert rights(as_superuser, table) == {"SELECT", "INSERT", "UPDATE", "DELETE"} - withheld
    assert rights(as_superuser, "alembic_version") == {"SELECT"}


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE documents DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON documents",
        "CREATE POLICY mine ON documents USING (true)",
        "SET ROLE lambent_owner",
        "SET ROLE lambent_clerk",
        "SET SESSION AUTHORIZATION postgres",
        "SET session_replication_role = replica",
        "ALTER ROLE lambent_app BYPASSRLS",
        "CREATE TABLE mine (id int)",
        "TRUNCATE documents",
        "SELECT * FROM vectors_00",
        "UPDATE alembic_version SET version_num = '0'",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "COPY documents TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_application_role_is_refused(as_app: Connection, statement: LiteralString) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_app.execute(statement)


async def test_row_security_off_is_an_error_and_not_a_way_through(store: PgStore, as_app: Connection) -> None:
    await furnished(store)
    as_app.execute("SET row_security = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_app.execute("SELECT * FROM documents")


ACCESS_LIST = ("readers", "readers_until", "readers_problem", "readers_set_at", "readers_set_by")


def test_clerk_owns_and_sees_no_more_than_it_needs(as_superuser: Connection) -> None:
    role = as_superuser.execute(
        "SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = 'lambent_clerk'"
    ).fetchone()
    assert role == (False, False, False)
    columns = as_superuser.execute(
        "SELECT table_name || '.' || column_name || ' ' || privilege_type FROM information_schema.column_privileges "
        "WHERE grantee = 'lambent_clerk' AND table_name NOT IN ('outbox', 'tickets')"
    ).fetchall()
    seen = {row[0] for row in columns}
    assert {name for name in seen if not name.endswith(" SELECT")} == {
        "api_keys.last_used_at UPDATE",
        "user_events.expires_at UPDATE",
        *(f"{table}.{column} UPDATE" for table in ("collections", "documents") for column in ACCESS_LIST),
    }
    seen = {name for name in seen if name.endswith(" SELECT")}
    assert {name.split(".")[0] for name in seen} == {
        *("tenants", "projects", "api_keys", "generations", "documents", "receipts", "indexes", "webhook_deliveries"),
        *("users", "identities", "sessions", "refresh_tokens", "memberships", "unit_members", "project_members"),
        *("units", "roles", "service_accounts", "invitations", "collections", "kept_answers", "user_events"),
    }
    told = {name.removesuffix(" SELECT") for name in seen if not name.startswith("api_keys")}
    assert told == {
        *(f"tenants.{column}" for column in ("tenant_id", "name", "created_at", "deleted_at")),
        *(f"projects.{column}" for column in ("tenant_id", "id", "unit_id", "archived_at", "deleted_at")),
        *(f"users.{column}" for column in ("user_id", "email_key", "disabled_at")),
        *(f"identities.{column}" for column in ("user_id", "issuer", "subject")),
        *(f"sessions.{column}" for column in ("user_id", "id", "expires_at", "revoked_at")),
        *(f"refresh_tokens.{column}" for column in ("user_id", "token_hash")),
        *(f"user_events.{column}" for column in ("user_id", "id", "expires_at")),
        *(
            f"memberships.{column}"
            for column in ("tenant_id", "user_id", "role", "role_id", "created_at", "suspended_at")
        ),
        *(f"unit_members.{column}" for column in ("tenant_id", "unit_id", "user_id", "role", "role_id")),
        *(f"project_members.{column}" for column in ("tenant_id", "project_id", "user_id", "role", "role_id")),
        *(f"units.{column}" for column in ("tenant_id", "id", "parent_id")),
        *(f"roles.{column}" for column in ("tenant_id", "id", "name", "permissions")),
        *(
            f"service_accounts.{column}"
            for column in ("tenant_id", "id", "project_id", "role", "role_id", "disabled_at")
        ),
        *(f"invitations.{column}" for column in ("tenant_id", "id", "token_hash")),
        *(f"kept_answers.{column}" for column in ("tenant_id", "principal", "key_hash", "expires_at")),
        *(f"webhook_deliveries.{column}" for column in ("tenant_id", "project_id", "id", "due_at")),
        *(f"receipts.{column}" for column in ("tenant_id", "id", "due_at")),
        *(f"indexes.{column}" for column in ("tenant_id", "project_id", "collection_id", "id", "state", "changed_at")),
        *(
            f"generations.{column}"
            for column in ("tenant_id", "project_id", "document_id", "number", "due_at", "state")
        ),
        *(
            f"documents.{column}"
            for column in (
                *("tenant_id", "project_id", "collection_id", "id", "latest_generation", "tombstoned_at"),
                *("swept_at", *ACCESS_LIST),
            )
        ),
        *(f"collections.{column}" for column in ("tenant_id", "project_id", "id", "deleted_at", *ACCESS_LIST)),
    }
    assert rights(as_superuser, "outbox", "lambent_clerk") == {"SELECT", "DELETE"}
    assert rights(as_superuser, "tickets", "lambent_clerk") == {"SELECT", "DELETE"}
    assert rights(as_superuser, "kept_answers", "lambent_clerk") == {"DELETE"}
    assert rights(as_superuser, "user_events", "lambent_clerk") == {"DELETE"}
    assert rights(as_superuser, "passwords", "lambent_clerk") == set()
    members = as_superuser.execute(
        "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member "
        "WHERE m.roleid = 'lambent_clerk'::regrole AND (m.inherit_option OR m.set_option)"
    ).fetchall()
    assert members == []


def test_functions_that_act_for_others_are_known_and_pinned(as_superuser: Connection) -> None:
    rows = as_superuser.execute(
        """
        SELECT p.proname, p.proowner::regrole::text, p.proconfig, has_function_privilege('public', p.oid, 'EXECUTE')
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
        """
    ).fetchall()
    owners = {name: owner for name, owner, _, _ in rows}
    clerks = [
        "lambent_deliveries_due",
        "lambent_due",
        "lambent_access",
        "lambent_enter_as",
        "lambent_enter_with_key",
        "lambent_access_list",
        "lambent_put_access_list",
        "lambent_readers",
        "lambent_belongings",
        "lambent_forget_answers",
        "lambent_forget_tickets",
        "lambent_forget_user_events",
        "lambent_invitation",
        "lambent_session",
        "lambent_take_ticket",
        "lambent_user_of_email",
        "lambent_user_of_identity",
        "lambent_user_of_token",
        "lambent_erasures",
        "lambent_in_line",
        "lambent_key",
        "lambent_left_behind",
        "lambent_payer",
        "lambent_sent",
        "lambent_tenants",
        "lambent_tombstoned",
        "lambent_unfinished_indexes",
    ]
    owners_own = ["lambent_drop_vector_index", "lambent_index_vectors"]
    assert owners == {**dict.fromkeys(clerks, "lambent_clerk"), **dict.fromkeys(owners_own, "lambent_owner")}
    for name, _, settings, public in rows:
        assert "search_path=pg_catalog, pg_temp" in settings, name
        assert not public, name


async def test_index_of_another_tenants_collection_is_refused(store: PgStore, as_app: Connection) -> None:
    one, other = await new_room(store), await new_room(store)
    await index(store, other, ["words"], [(1.0, 0.0, 0.0, 0.0)])
    enter(as_app, one.scope.tenant_id)
    ask = "SELECT lambent_index_vectors(%s, now()), lambent_drop_vector_index(%s)"
    assert as_app.execute(ask, [other.collection.id, other.collection.id]).fetchone() == (False, False)


async def test_session_setting_shows_through_no_transaction(store: PgStore) -> None:
    one, other = await furnished(store), await furnished(store)
    # Somebody sets the tenant for the session: the one mistake that a pooled connection would carry along.
    await store._line._committed()
    await store._line.driver.execute(sql.SQL("SET lambent.tenant = {}").format(str(other.scope.tenant_id)))
    async with store.transaction(None) as rows:
        assert await rows.collections.get(other.scope, other.collection.id) is None
    async with store.transaction(one.scope) as rows:
        assert await rows.collections.get(other.scope, other.collection.id) is None
        assert await rows.collections.get(one.scope, one.collection.id) is not None


async def test_tenant_of_a_transaction_ends_with_it(store: PgStore) -> None:
    one = await furnished(store)

    async def setting() -> Sequence[object]:
        await store._line._committed()
        cursor = await store._line.driver.execute("SELECT current_setting('lambent.tenant', true)")
        return await cursor.fetchone() or ()

    async with store.transaction(one.scope) as rows:
        assert await rows.collections.get(one.scope, one.collection.id) is not None
    assert list(await setting()) in ([""], [None])
    async with store.transaction(None) as rows:
        assert await rows.keys.authenticate(f"hash of {one.scope.tenant_id}", NOW) is not None
    assert list(await setting()) in ([""], [None])


async def test_tenants_by_turns_on_one_connection_never_mix(store: PgStore) -> None:
    rooms = [await new_room(store) for _ in range(3)]
    for turn in range(60):
        mine, other = rooms[turn % 3], rooms[(turn + 1) % 3]
        async with store.transaction(mine.scope if turn % 2 else None) as rows:
            found = await rows.collections.get(mine.scope, mine.collection.id)
            assert (found is not None) == bool(turn % 2)
            assert await rows.collections.get(other.scope, other.collection.id) is None
