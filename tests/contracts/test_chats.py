"""Chats and messages, in every store."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.chats import Chat, Citation, Message, Receipt, Role, Sentence, without
from shared.domain.chunks import ChunkId
from shared.domain.errors import Conflict, NotFound
from shared.domain.pages import After
from shared.domain.receipts import Subject, SubjectKind
from shared.domain.tenants import Scope
from tests.contracts.samples import NOW, Room, Store, add_document, at, new_id, new_room, scope_of, tombstone


def chat(room: Room, **changes: Any) -> Chat:
    made = Chat(
        id=new_id(),
        tenant_id=room.scope.tenant_id,
        project_id=room.scope.project_id,
        collection_ids=(room.collection.id,),
        title="What is ' it?",
        created_by=str(room.scope.principal),
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **changes)


def message(of: Chat, content: str = "hello", **changes: Any) -> Message:
    return replace(Message(id=new_id(), chat_id=of.id, role=Role.USER, content=content, created_at=NOW), **changes)


def full_message(of: Chat) -> Message:
    document_id = new_id()
    cited = Citation(
        number=1,
        chunk_id=ChunkId(document_id, 2, 3),
        document_id=document_id,
        document_name="Übersicht.pdf",
        generation=2,
        start=10,
        end=20,
        quote="“quoted”",
        page=None,
        heading_path=("One", "Two, three"),
        support=0.75,
    )
    return Message(
        id=new_id(),
        chat_id=of.id,
        role=Role.ASSISTANT,
        content="It is so [1]. Maybe.",
        created_at=at(1),
        citations=(cited, replace(cited, number=2, page=4, heading_path=())),
        sentences=(Sentence(0, 12, (1, 2), True), Sentence(13, 19, (), False)),
        found=False,
        receipt=Receipt("extractive/1", 12, 34, {"retrieve": 1.5, "answer": 20.0}),
        metadata={"k": [1, None, {"a": "b"}]},
    )


async def stored(store: Store, room: Room, **changes: Any) -> Chat:
    made = chat(room, **changes)
    async with store.transaction(room.scope) as rows:
        await rows.chats.add(room.scope, made)
    return made


async def test_add_comes_back_as_it_went(store: Store) -> None:
    room = await new_room(store)
    made = await stored(store, room, collection_ids=(new_id(), new_id()), updated_at=at(3))
    async with store.transaction(room.scope) as rows:
        assert await rows.chats.get(room.scope, made.id) == made


async def test_add_to_an_unknown_project_conflicts(store: Store) -> None:
    room = await new_room(store)
    elsewhere = scope_of(room.scope.tenant_id, new_id())
    with pytest.raises(Conflict):
        async with store.transaction(elsewhere) as rows:
            await rows.chats.add(elsewhere, chat(Room(elsewhere, room.collection)))


def others(room: Room, sibling: Room, stranger: Room) -> list[Scope]:
    return [scope_of(room.scope.tenant_id, room.scope.project_id, "somebody else"), sibling.scope, stranger.scope]


async def test_everything_of_another_principal_project_or_tenant_finds_nothing(store: Store) -> None:
    room = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=room.scope.tenant_id), await new_room(store)
    made = await stored(store, room)
    said = message(made)
    async with store.transaction(room.scope) as rows:
        await rows.chats.add_messages(room.scope, [said])
    for scope in others(room, sibling, stranger):
        async with store.transaction(scope) as rows:
            assert await rows.chats.get(scope, made.id) is None
            assert list(await rows.chats.list(scope, None, 9)) == []
            assert list(await rows.chats.messages(scope, made.id, 9)) == []
            await rows.chats.save(scope, replace(made, title="taken over"))
            assert not await rows.chats.delete(scope, made.id)
            with pytest.raises(NotFound):
                await rows.chats.add_messages(scope, [message(made, "planted")])
    async with store.transaction(room.scope) as rows:
        assert await rows.chats.get(room.scope, made.id) == made
        assert list(await rows.chats.messages(room.scope, made.id, 9)) == [said]


async def test_list_page_by_page_gives_each_once_newest_first(store: Store) -> None:
    room = await new_room(store)
    made = [await stored(store, room, created_at=at(minute)) for minute in (3, 1, 2, 2, 2)]
    listed: list[Chat] = []
    after: After | None = None
    async with store.transaction(room.scope) as rows:
        while page := await rows.chats.list(room.scope, after, 2):
            listed += page
            after = After(page[-1].created_at, page[-1].id)
    assert listed == sorted(made, key=lambda one: (one.created_at, one.id), reverse=True)


async def test_save_writes_what_may_change(store: Store) -> None:
    room = await new_room(store)
    made = await stored(store, room)
    changed = replace(made, title="other", collection_ids=(), updated_at=at(5))
    async with store.transaction(room.scope) as rows:
        await rows.chats.save(room.scope, changed)
        assert await rows.chats.get(room.scope, made.id) == changed


async def test_delete_takes_the_messages_along(store: Store) -> None:
    room = await new_room(store)
    made, kept = await stored(store, room), await stored(store, room)
    async with store.transaction(room.scope) as rows:
        await rows.chats.add_messages(room.scope, [message(made), message(kept)])
        assert await rows.chats.delete(room.scope, made.id)
        assert not await rows.chats.delete(room.scope, made.id)
        assert await rows.chats.get(room.scope, made.id) is None
        assert list(await rows.chats.messages(room.scope, made.id, 9)) == []
        assert len(await rows.chats.messages(room.scope, kept.id, 9)) == 1


async def test_messages_gives_the_latest_oldest_first(store: Store) -> None:
    room = await new_room(store)
    made, other = await stored(store, room), await stored(store, room)
    # All of one moment: their order is that of their storing.
    said = [message(made, f"turn {number}") for number in range(5)]
    async with store.transaction(room.scope) as rows:
        await rows.chats.add_messages(room.scope, said[:2])
        await rows.chats.add_messages(room.scope, [message(other)])
        await rows.chats.add_messages(room.scope, [])
        await rows.chats.add_messages(room.scope, said[2:])
    async with store.transaction(room.scope) as rows:
        assert list(await rows.chats.messages(room.scope, made.id, 99)) == said
        assert list(await rows.chats.messages(room.scope, made.id, 2)) == said[3:]
        assert list(await rows.chats.messages(room.scope, made.id, 0)) == []


async def test_message_comes_back_as_it_went(store: Store) -> None:
    room = await new_room(store)
    made = await stored(store, room)
    said = full_message(made)
    async with store.transaction(room.scope) as rows:
        await rows.chats.add_messages(room.scope, [said])
    async with store.transaction(room.scope) as rows:
        assert list(await rows.chats.messages(room.scope, made.id, 1)) == [said]


async def test_purge_removes_chats_of_a_project_whoever_made_them(store: Store) -> None:
    room = await new_room(store)
    other = await new_room(store, tenant_id=room.scope.tenant_id)
    kept = await stored(store, other)
    mine = await stored(store, room)
    somebody = scope_of(room.scope.tenant_id, room.scope.project_id, "somebody else")
    await stored(store, Room(somebody, room.collection))
    async with store.transaction(room.scope) as rows:
        await rows.chats.add_messages(room.scope, [message(mine)])
        subject = Subject(SubjectKind.PROJECT, room.scope.project_id)
        assert await rows.chats.purge(room.scope, subject, 1) == 1
        assert await rows.chats.purge(room.scope, subject, 10) == 1
        assert await rows.chats.purge(room.scope, subject, 10) == 0
        assert await rows.chats.get(room.scope, mine.id) is None
        assert await rows.chats.get(other.scope, kept.id) == kept
        assert await rows.chats.purge(room.scope, Subject(SubjectKind.TENANT, room.scope.tenant_id), 10) == 1


async def test_redact_takes_away_what_is_quoted_of_one_document(store: Store) -> None:
    room = await new_room(store)
    stranger = await new_room(store, tenant_id=room.scope.tenant_id)
    somebody = Room(scope_of(room.scope.tenant_id, room.scope.project_id, "somebody else"), room.collection)
    made, theirs = await stored(store, room), await stored(store, somebody)
    said = full_message(made)
    document_id = said.citations[0].document_id
    other = replace(said.citations[0], number=3, document_id=new_id())
    said = replace(said, citations=(*said.citations, other))
    copy = replace(said, id=new_id(), chat_id=theirs.id)
    async with store.transaction(room.scope) as rows:
        await rows.chats.add_messages(room.scope, [said, message(made)])
        await rows.chats.add_messages(somebody.scope, [copy])
        assert await rows.chats.citing(room.scope, document_id) == 2
        assert await rows.chats.citing(stranger.scope, document_id) == 0
        assert await rows.chats.redact(stranger.scope, document_id) == 0
        assert await rows.chats.redact(room.scope, document_id) == 2
        assert await rows.chats.redact(room.scope, document_id) == 0
        assert await rows.chats.citing(room.scope, document_id) == 0
        assert await rows.chats.citing(room.scope, other.document_id) == 2
    async with store.transaction(room.scope) as rows:
        found = (await rows.chats.messages(room.scope, made.id, 10))[0]
        assert found == without(said, {document_id})
        assert [one.removed for one in found.citations] == [True, True, False]
        assert found.citations[2] == other
        assert (found.content, found.sentences) == (said.content, said.sentences)
        assert await rows.chats.delete(room.scope, made.id)
        assert await rows.chats.citing(room.scope, other.document_id) == 1


async def test_living_tells_documents_that_are_not_deleted(store: Store) -> None:
    room = await new_room(store)
    sibling = await new_room(store, tenant_id=room.scope.tenant_id)
    kept, gone, elsewhere = [await add_document(store, one) for one in (room, room, sibling)]
    await tombstone(store, room, gone)
    ids = [kept.id, gone.id, elsewhere.id, new_id()]
    async with store.transaction(room.scope) as rows:
        assert await rows.documents.living(room.scope, ids) == {kept.id}
        assert await rows.documents.living(room.scope, []) == set()
        await rows.collections.save(room.scope, replace(room.collection, deleted_at=NOW))
        assert await rows.documents.living(room.scope, ids) == set()
