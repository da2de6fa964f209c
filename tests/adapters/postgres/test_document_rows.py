"""Documents as one JSON array: the same as column by column, value by value."""

from dataclasses import replace
from datetime import UTC, datetime

from shared.adapters.postgres.document_rows import OF_JSON, SHOWN, GenerationRow
from shared.adapters.postgres.migrations.versions.r0026_columns import DOCUMENT, GENERATION
from shared.adapters.postgres.store import PgStore
from tests.contracts.samples import add_document, new_room

ODD = 'a "quoted" name\\ with\ttabs, \u2028 and \U0001f409.txt'
WHEN = datetime(2026, 3, 1, 23, 59, 59, 7, tzinfo=UTC)


def test_server_and_reader_name_the_columns_in_the_same_order() -> None:
    assert [column.name for column in SHOWN] == DOCUMENT
    assert list(GenerationRow._fields) == GENERATION
    assert len(OF_JSON) == len(DOCUMENT) + 2 + len(GENERATION)


async def test_array_says_what_the_columns_say(store: PgStore) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    odd = replace(
        made,
        name=ODD,
        title=ODD,
        size=2**62,
        tags=(ODD, "", "b"),
        metadata={"deep": [1, 2.5, None, {"x": ODD}], "big": 2**53 + 1},
        updated_at=WHEN,
    )
    async with store.transaction(room.scope) as rows:
        await rows.documents.save(room.scope, odd)
        latest = await rows.documents.latest(room.scope, made.id)
        locked = await rows.documents.lock_with(room.scope, made.id, made.latest_generation)
        listed = await rows.documents.lock_all(room.scope, [(made.id, made.latest_generation)])
    assert latest == locked == listed[made.id, made.latest_generation]
    assert latest is not None
    assert (latest[0].name, latest[0].tags, latest[0].size) == (ODD, (ODD, "", "b"), 2**62)
    assert latest[0].metadata == odd.metadata
    assert latest[0].updated_at == WHEN
