"""Going ahead with the rights a credential had last time: one message, and nothing done by rights that have ended."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.pq import TransactionStatus

from shared.adapters.postgres.engine import REMEMBERED, Session
from shared.adapters.postgres.lookup import spelled
from shared.adapters.postgres.rows import PgRows
from shared.adapters.postgres.store import PgStore
from shared.domain.errors import Forbidden, Invalid, Outage, StandingChanged
from shared.domain.tenants import KEY_PERMISSIONS, Credential
from tests.contracts.samples import NOW, Room, add_document, new_id, new_room
from tests.fixtures.postgres import OpenStore

SECRET = "hash of a key"


async def keyed(store: PgStore) -> tuple[Room, Credential]:
    """A room, and a key of it that has been used once in this process."""
    room = await new_room(store)
    key = Credential(new_id(), room.scope.tenant_id, room.scope.project_id, "key", KEY_PERMISSIONS, None, None)
    async with store.transaction(room.scope) as rows:
        await rows.keys.add(room.scope, key, SECRET, NOW)
    # Its first use is noted, which changes what is known of it.
    for _ in range(2):
        async with store.transaction(None) as rows:
            await rows.keys.authenticate(SECRET, NOW)
    return room, key


@asynccontextmanager
async def ahead(store: PgStore) -> AsyncIterator[PgRows]:
    """A transaction whose key is taken for granted."""
    async with store.transaction(None) as rows:
        found = await rows.keys.authenticate(SECRET, NOW, ahead=True)
        assert found is not None
        yield rows


async def revoke(another: PgStore, room: Room, key: Credential) -> None:
    """In another process."""
    async with another.transaction(room.scope) as rows:
        assert await rows.keys.revoke(room.scope, key.id, NOW)


@pytest.fixture
def messages(store: PgStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to the database, in messages that are waited for."""
    sent: list[str] = []
    begin, exchange = store._line.begin, store._line.exchange

    async def begun(sql: str) -> Any:
        sent.append(sql)
        return await begin(sql)

    async def exchanged(statements: Sequence[Any], **more: Any) -> Any:
        sent.append("; ".join(one.sql for one in statements))
        return await exchange(statements, **more)

    monkeypatch.setattr(store._line, "begin", begun)
    monkeypatch.setattr(store._line, "exchange", exchanged)
    return sent


async def test_a_reading_statement_and_the_rights_are_one_message(store: PgStore, messages: list[str]) -> None:
    room, _ = await keyed(store)
    made = await add_document(store, room)
    messages.clear()
    async with ahead(store) as rows:
        found = await rows.documents.latest(room.scope, made.id)
        assert found is not None
        assert found[0].id == made.id
    assert len(messages) == 1
    assert store._line.driver.info.transaction_status is TransactionStatus.IDLE


async def test_statements_behind_it_are_in_the_same_context(store: PgStore) -> None:
    room, key = await keyed(store)
    made = await add_document(store, room)
    async with ahead(store) as rows:
        for _ in range(2):
            assert await rows.documents.latest(room.scope, made.id) is not None
        assert await rows.documents.get(room.scope, made.id) is not None
        await rows.collections.save(room.scope, replace(room.collection, name="changed"))
        assert await rows.keys.get(room.scope, key.id) is not None
    async with store.transaction(room.scope) as rows:
        found = await rows.collections.get(room.scope, room.collection.id)
        assert found is not None
        assert found.name == "changed"


async def test_what_nobody_waits_for_is_written_in_the_context(store: PgStore) -> None:
    room, _ = await keyed(store)
    made = await add_document(store, room)
    rename = spelled("UPDATE collections SET name = :name WHERE id = :id")
    async with ahead(store) as rows:
        assert await rows.documents.latest(room.scope, made.id) is not None
        session_of(rows).later(rename, {"name": "later", "id": room.collection.id})
    async with store.transaction(room.scope) as rows:
        found = await rows.collections.get(room.scope, room.collection.id)
        assert found is not None
        assert found.name == "later"


async def reads(rows: PgRows, room: Room) -> None:
    await rows.documents.latest(room.scope, room.collection.id)


async def composes(rows: PgRows, room: Room) -> None:
    await rows.collections.list(room.scope, None, 5)


async def writes(rows: PgRows, room: Room) -> None:
    await rows.collections.save(room.scope, replace(room.collection, name="never"))


async def writes_later(rows: PgRows, room: Room) -> None:
    session_of(rows).later(spelled("UPDATE collections SET name = 'never'"), {})


async def does_nothing(rows: PgRows, room: Room) -> None:
    pass


async def refuses(rows: PgRows, room: Room) -> None:
    raise Forbidden("by rights that are not theirs any more")


@pytest.mark.parametrize("act", [reads, composes, writes, writes_later, does_nothing, refuses])
async def test_rights_that_have_ended_undo_whatever_came_first(store: PgStore, open_store: OpenStore, act: Any) -> None:
    room, key = await keyed(store)
    await revoke(open_store(), room, key)

    async def acted() -> None:
        async with ahead(store) as rows:
            await act(rows, room)

    with pytest.raises(StandingChanged):
        await acted()
    async with store.transaction(None) as rows:
        found = await rows.keys.authenticate(SECRET, NOW, ahead=True)
        assert found is not None
        assert found.credential.revoked_at == NOW, "what has changed is not taken for granted again"
        assert await rows.collections.get(room.scope, room.collection.id) == room.collection


async def test_context_is_the_one_that_is_so_now(
    store: PgStore, as_superuser: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement in the same message sees what the rights as they are now let it see, whatever is remembered."""
    room, _ = await keyed(store)
    made = await add_document(store, room)
    as_superuser.execute("DELETE FROM api_keys")
    monkeypatch.setattr(Session, "_compare", lambda self, question, row: setattr(question, "confirmed", True))
    async with ahead(store) as rows:
        assert await rows.documents.latest(room.scope, made.id) is None


async def test_connection_that_died_is_replaced(store: PgStore, as_superuser: psycopg.Connection[Any]) -> None:
    room, _ = await keyed(store)
    made = await add_document(store, room)
    as_superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'lambent_app'")
    async with ahead(store) as rows:
        assert await rows.documents.latest(room.scope, made.id) is not None


async def test_database_that_is_out_is_not_asked_twice(store: PgStore, monkeypatch: pytest.MonkeyPatch) -> None:
    room, _ = await keyed(store)
    asked: list[str] = []

    async def out(sql: str) -> Any:
        asked.append(sql)
        raise Outage("the database cannot be reached")

    async def reading() -> None:
        async with ahead(store) as rows:
            await reads(rows, room)

    monkeypatch.setattr(store._line, "begin", out)
    with pytest.raises(Outage):
        await reading()
    assert len(asked) == 1


async def test_no_more_credentials_are_remembered_than_so_many(store: PgStore) -> None:
    await keyed(store)
    line = store._line
    line.recalled.update({f"statement {number}": object() for number in range(2 * REMEMBERED)})
    async with store.transaction(None) as rows:
        await rows.keys.authenticate(SECRET, NOW)
    assert len(line.recalled) == REMEMBERED


ECHO = spelled("SELECT CAST(:text AS text) AS text, CAST(:number AS integer) AS number", reads=True)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(), number=st.none() | st.integers(-(2**31), 2**31 - 1))
@example("'; DROP TABLE documents; --", 1)
@example("\\'; COMMIT; SELECT 1; --", None)
@example("%s %(text)s %% :number", 1)
@example("$$ $1 E'\\x27'", -1)
async def test_values_in_a_message_stay_values(store: PgStore, text: str, number: int | None) -> None:
    if not store._line.recalled:
        await keyed(store)

    async def echoed() -> Any:
        async with ahead(store) as rows:
            return await session_of(rows).first(ECHO, {"text": text, "number": number})

    if "\x00" in text or not _encodable(text):
        with pytest.raises(Invalid):
            await echoed()
        return
    row = await echoed()
    assert (row.text, row.number) == (text, number)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def session_of(rows: PgRows) -> Session:
    """The transaction itself."""
    return rows._session
