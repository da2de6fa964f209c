"""The walls between users, as the database itself keeps them.

As with those between tenants, each probe has a control: the user reaches their own rows, and with a wall taken down
anybody reaches them.
"""

from collections.abc import Iterator
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from shared.adapters.postgres.store import PgStore
from shared.domain.history import UserEvent
from shared.domain.idempotency import Claim, KeptAnswer
from shared.domain.members import Membership
from shared.domain.sessions import RefreshToken, UserSession
from shared.domain.tickets import Ticket, TicketKind
from shared.domain.users import Identity, User, UserScope
from tests.contracts.samples import NOW, a_user, at, new_id, new_room
from tests.fixtures.postgres import PostgresUrls

type Connection = psycopg.Connection[TupleRow]

OWN = ("users", "passwords", "identities", "sessions", "refresh_tokens", "user_events")
WITHHELD = {"users": {"DELETE"}, "user_events": {"UPDATE", "DELETE"}}
"""Nobody removes a user: what they did refers to them. What has happened stays so."""


@pytest.fixture
def as_app(database: PostgresUrls) -> Iterator[Connection]:
    """The application's role, with nobody's rights yet."""
    with psycopg.connect(database.app) as connection:
        yield connection


async def furnished(store: PgStore) -> User:
    """A user with rows in every table."""
    user, scope = a_user(), None
    scope = UserScope(user.id)
    session = UserSession(new_id(), user.id, "password", "", "", NOW, NOW, at(60))
    async with store.transaction(None) as rows:
        await rows.users.add(scope, user, "hash")
        await rows.users.link(scope, Identity(user.id, "https://issuer.example", str(user.id), NOW))
        await rows.sessions.add(scope, session, RefreshToken(user.id, session.id, f"hash {user.id}", NOW))
        await rows.tickets.put(Ticket(TicketKind.RESET, f"hash {user.id}", {}, NOW, at(1)))
        await rows.history.add(scope, UserEvent(new_id(), user.id, NOW, "user.created", "", at(60)))
    return user


def enter(connection: Connection, user_id: UUID | None) -> None:
    connection.execute("SELECT set_config('lambent.user', %s, true)", [str(user_id or "")])


def reached(connection: Connection, table: str, user_id: UUID) -> dict[str, int]:
    """How many of a user's rows a connection gets at, by what it does; all undone."""

    def attempt(statement: LiteralString) -> int:
        try:
            with connection.transaction(force_rollback=True):
                composed = sql.SQL(statement).format(sql.Identifier(table))
                return connection.execute(composed, {"user": user_id}).rowcount
        except psycopg.errors.InsufficientPrivilege:
            return 0
        except psycopg.errors.ForeignKeyViolation:
            return 1

    return {
        "SELECT": attempt("SELECT FROM {} WHERE user_id = %(user)s"),
        "UPDATE": attempt("UPDATE {} SET user_id = user_id WHERE user_id = %(user)s"),
        "DELETE": attempt("DELETE FROM {} WHERE user_id = %(user)s"),
    }


@pytest.mark.parametrize("table", OWN)
async def test_rows_are_their_users_own(store: PgStore, as_app: Connection, table: str) -> None:
    user, other = await furnished(store), await furnished(store)
    assert not any(reached(as_app, table, user.id).values())
    enter(as_app, other.id)
    assert not any(reached(as_app, table, user.id).values())
    enter(as_app, None)
    assert not any(reached(as_app, table, user.id).values())
    enter(as_app, user.id)
    own = reached(as_app, table, user.id)
    assert {name for name, rows in own.items() if not rows} == WITHHELD.get(table, set()), "positive control"


@pytest.mark.parametrize("table", OWN)
async def test_rows_with_the_wall_taken_down_are_anybodys(store: PgStore, as_superuser: Connection, table: str) -> None:
    user = await furnished(store)
    with as_superuser.transaction(force_rollback=True):
        as_superuser.execute(sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY").format(sql.Identifier(table)))
        as_superuser.execute("SET LOCAL ROLE lambent_app")
        assert reached(as_superuser, table, user.id)["SELECT"], "negative control"


async def test_row_planted_on_another_user_is_refused(store: PgStore, as_app: Connection) -> None:
    user, other = await furnished(store), await furnished(store)
    enter(as_app, other.id)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_app.execute("INSERT INTO identities VALUES (%s, 'https://issuer.example', 'mine', now())", [user.id])


async def test_members_of_a_tenant_are_seen_in_it_and_never_changed(store: PgStore, as_app: Connection) -> None:
    room, foreign = await new_room(store), await new_room(store)
    user, stranger = await furnished(store), await furnished(store)
    async with store.transaction(room.scope) as rows:
        await rows.members.add(room.scope, Membership(room.scope.tenant_id, user.id, None, NOW))
    for scope, seen in ((room.scope, 1), (foreign.scope, 0)):
        as_app.execute("SELECT set_config('lambent.tenant', %s, true)", [str(scope.tenant_id)])
        assert reached(as_app, "users", user.id) == {"SELECT": seen, "UPDATE": 0, "DELETE": 0}
        assert not any(reached(as_app, "users", stranger.id).values())
        for table in OWN[1:]:
            assert not any(reached(as_app, table, user.id).values())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM tickets",
        "UPDATE tickets SET expires_at = now()",
        "DELETE FROM tickets",
        "DELETE FROM users",
        "UPDATE audit_events SET actor = 'nobody'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "UPDATE user_events SET address = ''",
        "DELETE FROM user_events",
    ],
)
async def test_application_role_is_refused(store: PgStore, as_app: Connection, statement: LiteralString) -> None:
    user = await furnished(store)
    enter(as_app, user.id)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_app.execute(statement)


async def test_user_of_a_transaction_ends_with_it(store: PgStore) -> None:
    user = await furnished(store)
    async with store.transaction(None) as rows:
        assert await rows.users.find(user.email_key) == user
    async with store.transaction(None) as rows:
        assert await rows.users.get(UserScope(user.id)) is None
    # Somebody sets the user for the session: the one mistake that a pooled connection would carry along.
    await store._line._committed()
    await store._line.driver.execute("SELECT set_config('lambent.user', %s, false)", [str(user.id)])
    async with store.transaction(None) as rows:
        assert await rows.users.get(UserScope(user.id)) is None


def test_walls_of_users_are_forced_on_every_table(as_superuser: Connection) -> None:
    for table in (*OWN, "tickets"):
        found = as_superuser.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s", [table]
        ).fetchone()
        assert found == (True, True), table
    rows = as_superuser.execute(
        "SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies WHERE tablename = ANY (%s) "
        "AND roles <> '{lambent_clerk}' ORDER BY tablename, policyname",
        [list(OWN)],
    ).fetchall()
    assert [(table, name, command) for table, name, command, *_ in rows] == [
        ("identities", "own", "ALL"),
        ("passwords", "own", "ALL"),
        ("refresh_tokens", "own", "ALL"),
        ("sessions", "own", "ALL"),
        ("user_events", "own", "ALL"),
        ("users", "own", "ALL"),
        ("users", "peers", "SELECT"),
    ]
    for _, name, _, using, check in rows:
        if name == "own":
            assert "current_setting('lambent.user'" in using
            assert "current_setting('lambent.user'" in check
        else:
            assert "current_setting('lambent.tenant'" in using


async def test_kept_answers_outside_all_tenants_are_their_users_own(store: PgStore, as_app: Connection) -> None:
    user, other = await furnished(store), await furnished(store)
    scope = UserScope(user.id)
    async with store.transaction(None) as rows:
        await rows.users.enter(scope)
        await rows.idempotency.keep(Claim(None, str(scope.principal), "key", "request", NOW), KeptAnswer(201, {}, "{}"))
    mine = "SELECT count(*) FROM kept_answers WHERE principal = %s"

    def seen() -> int:
        found = as_app.execute(mine, [str(scope.principal)]).fetchone()
        assert found is not None
        return int(found[0])

    assert seen() == 0
    enter(as_app, other.id)
    assert seen() == 0
    as_app.execute("SELECT set_config('lambent.tenant', %s, true)", [str(user.id)])
    assert seen() == 0
    enter(as_app, user.id)
    assert seen() == 1
