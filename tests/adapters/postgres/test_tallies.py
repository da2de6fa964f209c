"""Counts of a collection's documents are kept as they change: right under concurrency, deletes and failures."""

import asyncio
from dataclasses import replace

import psycopg
import pytest
from psycopg.rows import TupleRow

from shared.adapters.postgres.store import PgStore
from shared.domain.documents import Document, DocumentStatus
from tests.contracts.samples import NOW, Room, document, generation, new_room
from tests.fixtures.postgres import OpenStore

type Superuser = psycopg.Connection[TupleRow]

TRUE = "SELECT count(*), count(*) FILTER (WHERE status = 'indexed') FROM documents WHERE tombstoned_at IS NULL"


async def counted(store: PgStore, room: Room) -> tuple[int, int]:
    """What the collection says: all documents, and those indexed."""
    async with store.transaction(room.scope) as rows:
        found = await rows.collections.summary(room.scope, room.collection.id)
    assert found is not None
    return found.documents, found.indexed


async def test_counts_are_true_while_many_change_at_once(open_store: OpenStore, as_superuser: Superuser) -> None:
    stores = [open_store() for _ in range(4)]
    room = await new_room(stores[0])

    async def lives(store: PgStore, number: int) -> None:
        for turn in range(25):
            made = document(room)
            async with store.transaction(room.scope) as rows:
                await rows.documents.add(room.scope, made, generation(made))
            async with store.transaction(room.scope) as rows:
                await rows.documents.save(room.scope, replace(made, status=DocumentStatus.INDEXED))
            if (turn + number) % 3 == 0:
                async with store.transaction(room.scope) as rows:
                    await rows.documents.save(room.scope, tombstoned(made))

    await asyncio.gather(*(lives(store, number) for number, store in enumerate(stores)))
    assert await counted(stores[0], room) == as_superuser.execute(TRUE).fetchone()
    # Two hundred and more changes; what was added up is gone.
    kept = as_superuser.execute("SELECT count(*) FROM tallies").fetchone()
    assert kept is not None
    assert kept[0] < 150


async def test_counts_forget_what_was_undone(store: PgStore) -> None:
    room = await new_room(store)

    async def undone() -> None:
        async with store.transaction(room.scope) as rows:
            for _ in range(70):
                made = document(room)
                await rows.documents.add(room.scope, made, generation(made))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await undone()
    assert await counted(store, room) == (0, 0)


async def test_counts_of_a_deleted_document_go_once(store: PgStore) -> None:
    room = await new_room(store)
    made = document(room)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add(room.scope, made, generation(made))
    assert await counted(store, room) == (1, 0)
    for state in (tombstoned(made), replace(tombstoned(made), status=DocumentStatus.DELETED, swept_at=NOW)):
        async with store.transaction(room.scope) as rows:
            await rows.documents.save(room.scope, state)
        assert await counted(store, room) == (0, 0)


def tombstoned(made: Document) -> Document:
    return replace(made, status=DocumentStatus.DELETING, tombstoned_at=NOW)
