"""Looking at everything that waits, in every store."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.backlog import BacklogLine, Unsent
from shared.domain.documents import GenerationState, Reason, advance, claim, delay, fail, release
from tests.contracts.samples import NOW, Room, Store, at, document, generation, new_room
from tests.contracts.test_outbox import add as add_message

MINUTE = timedelta(minutes=1)


async def add(store: Store, room: Room, minute: int, **changes: object) -> None:
    """A document whose only generation entered its state in that minute."""
    row = replace(document(room), created_at=at(minute), tombstoned_at=changes.pop("tombstoned_at", None))  # type: ignore[arg-type]
    one = replace(generation(row), entered_at=at(minute), **changes)  # type: ignore[arg-type]
    async with store.transaction(room.scope) as rows:
        await rows.documents.add(room.scope, row, one)


async def test_lines_group_by_step_and_reason(store: Store) -> None:
    room = await new_room(store)
    embedding = advance(generation(document(room)), GenerationState.EMBEDDING, NOW, due=MINUTE)
    changed = ("state", "due_at", "lease_owner", "lease_until", "attempts", "waiting", "last_error")
    error = Reason("model_down", "words")
    for minute, one in enumerate(
        [
            delay(embedding, NOW, MINUTE, "asked to wait", grace=MINUTE),
            delay(embedding, NOW, MINUTE, "asked to wait", grace=10 * MINUTE),
            claim(embedding, "worker", NOW, 5 * MINUTE),
            release(embedding, NOW, error, retry_in=9 * MINUTE),
        ]
    ):
        await add(store, room, minute, **{name: getattr(one, name) for name in changed})
    await add(store, room, 5)
    # Neither ended ones nor those of deleted documents wait.
    ended = fail(embedding, error, NOW)
    await add(store, room, 6, state=ended.state, due_at=None, failure=error)
    await add(store, room, 7, tombstoned_at=NOW)
    scope = room.scope
    async with store.transaction(scope) as rows:
        lines = await rows.backlog.lines(scope, at(3), 9)
        longest = await rows.backlog.longest(scope, 3)
        assert lines == [
            BacklogLine(GenerationState.EMBEDDING, "asked to wait", 2, at(0), 1, 0),
            BacklogLine(GenerationState.AWAITING_UPLOAD, "", 1, at(5), 1, 0),
            BacklogLine(GenerationState.EMBEDDING, "", 1, at(2), 0, 1),
            BacklogLine(GenerationState.EMBEDDING, "model_down", 1, at(3), 0, 0),
        ]
        assert [one.entered_at for _, one in longest] == [at(0), at(1), at(2)]
        assert all(row.id == one.document_id for row, one in longest)
        assert len(await rows.backlog.lines(scope, at(3), 2)) == 2
        assert dict(await rows.backlog.failed(scope)) == {"model_down": 1}
        assert await rows.backlog.deleting(scope) == 1


async def test_everything_stays_within_the_project(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    next_door = await new_room(store, tenant_id=room.scope.tenant_id)
    await add(store, room, 1)
    await add(store, room, 1, tombstoned_at=NOW)
    await add(store, room, 1, state=GenerationState.FAILED, due_at=None, failure=Reason("x", "y"))
    for elsewhere in (other, next_door):
        async with store.transaction(elsewhere.scope) as rows:
            assert await rows.backlog.lines(elsewhere.scope, at(9), 9) == []
            assert await rows.backlog.longest(elsewhere.scope, 9) == []
            assert dict(await rows.backlog.failed(elsewhere.scope)) == {}
            assert await rows.backlog.deleting(elsewhere.scope) == 0


async def test_unsent_counts_old_messages_of_the_tenant(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    for minute in (3, 1, 8):
        await add_message(store, room, minute)
    await add_message(store, other, 0)
    async with store.transaction(room.scope) as rows:
        assert await rows.backlog.unsent(room.scope, at(5)) == Unsent(2, at(1))
        assert await rows.backlog.unsent(room.scope, at(1)) == Unsent(0, None)
