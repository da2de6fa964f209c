"""Rows to test with. Ids and times are counted, never drawn, so that two runs see the same."""

import itertools
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from shared.domain.chunks import Chunk, ChunkId, Chunking, ChunkTerms, ChunkVector
from shared.domain.collections import Collection, EmbeddingModel
from shared.domain.documents import Document, DocumentStatus, Generation, GenerationState, Recipe, Source
from shared.domain.members import Membership
from shared.domain.roles import RoleRef
from shared.domain.tenants import Permission, Principal, PrincipalKind, Project, Scope, TenantScope
from shared.domain.users import User, UserScope
from shared.ports.ports import Rows
from shared.ports.vectors import Vectors

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DIMENSIONS = 4
_numbers = itertools.count(1)


class RowsWithVectors(Rows, Protocol):
    """What a store gives within a transaction."""

    @property
    def vectors(self) -> Vectors: ...


class Store(Protocol):
    """A database under test."""

    def transaction(self, scope: TenantScope | None) -> AbstractAsyncContextManager[RowsWithVectors]: ...


def new_id() -> UUID:
    """An id that sorts after all before it."""
    return UUID(int=(7 << 76) | (2 << 62) | next(_numbers))


def at(minutes: float) -> datetime:
    """A moment after `NOW`."""
    return NOW + timedelta(minutes=minutes)


def scope_of(tenant_id: UUID, project_id: UUID, principal: str = "key") -> Scope:
    """A scope that may do everything, since repositories do not look at permissions."""
    return Scope(tenant_id, Principal(PrincipalKind.API_KEY, principal), frozenset(Permission), project_id)


@dataclass(frozen=True, slots=True)
class Room:
    """A tenant's project with one collection."""

    scope: Scope
    collection: Collection


def collection(scope: Scope, **changes: Any) -> Collection:
    """A new collection of the project."""
    made = Collection(
        id=new_id(),
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        name="papers",
        model=EmbeddingModel("memory/test", DIMENSIONS),
        chunking=Chunking(),
        created_at=NOW,
    )
    return replace(made, **changes)


async def new_room(store: Store, *, tenant_id: UUID | None = None) -> Room:
    """Another project with a collection, of a new tenant or of the one given."""
    scope = scope_of(tenant_id or new_id(), new_id())
    async with store.transaction(scope) as rows:
        await rows.tenants.ensure(scope.tenant_id, "a tenant", NOW)
        project = Project(scope.project_id, scope.tenant_id, f"project {scope.project_id}", NOW)
        await rows.projects.add(scope, project)
        made = collection(scope)
        await rows.collections.add(scope, made)
    return Room(scope, made)


def document(room: Room, **changes: Any) -> Document:
    """A new document of the room's collection."""
    made = Document(
        id=new_id(),
        tenant_id=room.scope.tenant_id,
        project_id=room.scope.project_id,
        collection_id=room.collection.id,
        name="report.pdf",
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **changes)


def generation(of: Document, number: int = 1, **changes: Any) -> Generation:
    """A generation that waits for its upload until a minute after `NOW`."""
    made = Generation(
        tenant_id=of.tenant_id,
        project_id=of.project_id,
        document_id=of.id,
        number=number,
        state=GenerationState.AWAITING_UPLOAD,
        source=Source(f"{of.tenant_id}/{of.id}/{number}"),
        recipe=Recipe("reader/1", "structure/200/0", "memory/test"),
        created_at=NOW,
        entered_at=NOW,
        due_at=at(1),
    )
    return replace(made, **changes)


def chunk(id: ChunkId, text: str = "some words", **changes: Any) -> Chunk:
    """A chunk of a text."""
    made = Chunk(id=id, text=text, start=0, end=len(text), content_hash=f"hash of {text}")
    return replace(made, **changes)


def terms(id: ChunkId, text: str) -> ChunkTerms:
    """The terms of a text: its words as they are."""
    words = text.split()
    return ChunkTerms(id, dict(Counter(words)), len(words))


def a_user(**changes: Any) -> User:
    """A user with an address of their own."""
    id = new_id()
    return replace(User(id, f"User.{id.hex}@Example.com", "Ada", NOW, verified_at=NOW), **changes)


async def add_member(store: Store, room: Room, role: RoleRef | None = None, **changes: Any) -> User:
    """A new user who belongs to the room's tenant."""
    user = a_user(**changes)
    async with store.transaction(room.scope) as rows:
        await rows.users.add(UserScope(user.id), user, None)
        await rows.members.add(room.scope, Membership(room.scope.tenant_id, user.id, role, NOW))
    return user


async def add_document(store: Store, room: Room, **changes: Any) -> Document:
    """A stored document with its first generation."""
    made = document(room, **changes)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add(room.scope, made, generation(made))
    return made


async def write(
    rows: RowsWithVectors,
    room: Room,
    of: Document,
    number: int,
    texts: Sequence[str],
    vectors: Sequence[Sequence[float]] = (),
) -> list[ChunkId]:
    """Chunks, terms and vectors of a generation, not committed."""
    ids = [ChunkId(of.id, number, ordinal) for ordinal in range(len(texts))]
    chunks = [chunk(id, text) for id, text in zip(ids, texts, strict=True)]
    await rows.chunks.replace(room.scope, room.collection.id, of.id, number, chunks)
    await rows.keywords.put(room.scope, room.collection.id, [terms(one.id, one.text) for one in chunks])
    found = [ChunkVector(id, values) for id, values in zip(ids, vectors, strict=False)]
    if found:
        await rows.vectors.put(room.scope, room.collection, found)
    return ids


async def publish(rows: RowsWithVectors, room: Room, of: Document, number: int, before: int | None = None) -> None:
    """Commit a generation and count its words."""
    assert await rows.documents.commit(room.scope, of.id, number)
    await rows.keywords.publish(room.scope, room.collection.id, of.id, add=number, remove=before)


async def index(
    store: Store, room: Room, texts: Sequence[str], vectors: Sequence[Sequence[float]] = (), **changes: Any
) -> Document:
    """A document that is searchable."""
    made = document(room, status=DocumentStatus.INDEXED, **changes)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add(room.scope, made, generation(made))
        await write(rows, room, made, 1, texts, vectors)
        await publish(rows, room, made, 1)
    return replace(made, committed_generation=1)


async def tombstone(store: Store, room: Room, of: Document) -> None:
    """Delete a document as far as readers are concerned."""
    async with store.transaction(room.scope) as rows:
        known = await rows.documents.lock(room.scope, of.id)
        assert known is not None
        if known.committed_generation is not None:
            await rows.keywords.publish(
                room.scope, known.collection_id, of.id, add=None, remove=known.committed_generation
            )
        await rows.documents.save(room.scope, replace(known, tombstoned_at=NOW, status=DocumentStatus.DELETING))
