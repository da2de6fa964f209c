"""Collections."""

from collections import namedtuple
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Interval,
    Uuid,
    any_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.index_rows import index_values, read_index
from shared.adapters.postgres.lookup import Lookup, spelled
from shared.adapters.postgres.models import collections, indexes, keyword_statistics, tallies
from shared.adapters.postgres.statements import ID, PROJECT, ROOM_LIVE, TENANT, page_after
from shared.domain.chunks import Chunking, ChunkMethod
from shared.domain.collections import Collection, CollectionSummary, EmbeddingModel
from shared.domain.documents import DocumentStatus
from shared.domain.errors import Conflict
from shared.domain.indexes import OPEN, Index, IndexState, seen_through
from shared.domain.pages import After
from shared.domain.receipts import Subject, SubjectKind
from shared.domain.tenants import Scope, TenantScope

C, X = collections.c, indexes.c
MINE = (C.tenant_id == TENANT) & (C.project_id == PROJECT)
ONE = MINE & (C.id == ID)
LIVE_NAME = C.deleted_at.is_(None)
LIVE = LIVE_NAME & ROOM_LIVE

# Not an index inference on (name): a clash of ids must not pass for a clash of names, so the index is named by its
# columns and its condition.
ADD = (
    insert(collections)
    .on_conflict_do_nothing(index_elements=[C.tenant_id, C.project_id, C.name], index_where=LIVE_NAME)
    .returning(C.id)
)
ANY = select(collections).where(ONE)
GET_ANY = Lookup(ANY)
GET = Lookup(ANY.where(LIVE))
# Rows that refer to it may still be added.
LOCK = Lookup(ANY.where(LIVE).with_for_update(key_share=True))
NOW = func.clock_timestamp()
HELD: ColumnElement[timedelta] = literal_column(
    "greatest(interval '0', collections.held_until - clock_timestamp())"
).label("held")
# The index first: both tables have columns of the same names.
SEEN_THROUGH = (
    select(indexes, *(column.label(f"home_{column.name}") for column in C), HELD)
    .join(collections, (C.tenant_id == X.tenant_id) & (C.id == X.collection_id))
    .where(ONE & LIVE & (X.id == bindparam("index")) & or_(*(X.state == state.value for state in OPEN)))
)
THROUGH = spelled(
    f"SELECT {', '.join(f'(f.index).{column.name}' for column in X)}, "
    f"{', '.join(f'(f.home).{column.name} AS home_{column.name}' for column in C)} "
    "FROM lambent_through(:tenant, :project, :of_id, :index) f"
)
# Publishing holds the collection, so that no cut comes between the look at what is searched and the commit.
THROUGH_SHARED = Lookup(SEEN_THROUGH.with_for_update(read=True, of=collections))
PERIOD, REST = bindparam("period", type_=Interval), bindparam("rest", type_=Interval)
HOLD = (
    update(collections)
    .where(ONE & LIVE & or_(C.held_until.is_(None), C.held_until > NOW, C.held_until + REST <= NOW))
    .values(held_until=case((C.held_until > NOW, C.held_until), else_=NOW + PERIOD))
    .returning(HELD)
)
RELEASE = update(collections).where(ONE & C.held_until.is_not(None)).values(held_until=None)
CUT = update(collections).where(ONE & LIVE & (C.index_id == bindparam("before", type_=Uuid))).returning(C.id)
GET_MANY = select(collections).where(MINE & LIVE & (C.id == any_(bindparam("ids", type_=ARRAY(Uuid)))))
LIST = select(collections).where(MINE & LIVE)
SAVE = update(collections).where(ONE)
NAMED = {
    SubjectKind.COLLECTION: C.id == bindparam("subject"),
    SubjectKind.PROJECT: C.project_id == bindparam("subject"),
    SubjectKind.TENANT: C.tenant_id == bindparam("subject"),
}
FIRST = insert(indexes)
SUMMARY = select(
    collections,
    select(func.coalesce(func.sum(keyword_statistics.c.chunks), 0))
    .where((keyword_statistics.c.tenant_id == C.tenant_id) & (keyword_statistics.c.index_id == C.index_id))
    .scalar_subquery()
    .label("chunks"),
    select(
        func.jsonb_build_array(
            func.coalesce(func.sum(tallies.c.documents), 0),
            *(
                func.coalesce(func.sum(tallies.c.documents).filter(tallies.c.status == status), 0)
                for status in (DocumentStatus.INDEXED, DocumentStatus.FAILED)
            ),
        )
    )
    .where((tallies.c.tenant_id == C.tenant_id) & (tallies.c.collection_id == C.id))
    .scalar_subquery()
    .label("documents"),
).where(ONE & LIVE)


CollectionRow = namedtuple("CollectionRow", [column.name for column in collections.columns])  # type: ignore[misc]


class PgCollections:
    """Storage of collections."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: Scope, collection: Collection) -> None:
        """Store a new collection.

        Raises:
            Conflict: the project has a live collection of this name.
        """
        values = {
            "tenant_id": scope.tenant_id,
            "project_id": scope.project_id,
            "id": collection.id,
            "created_at": collection.created_at,
            **_values(collection),
            **_index_values(collection),
        }
        if await self._session.first(ADD, values) is None:
            raise _taken(collection)
        await self._session.run(FIRST, {"tenant_id": scope.tenant_id, **index_values(_first(collection))})

    async def get(self, scope: Scope, collection_id: UUID, *, deleted: bool = False) -> Collection | None:
        """One collection; a deleted one only when `deleted` is True."""
        row = await self._session.first(GET_ANY if deleted else GET, _one(scope, collection_id))
        return None if row is None else _collection(row)

    async def lock(self, scope: Scope, collection_id: UUID) -> Collection | None:
        """One collection that is not deleted, locked until the transaction ends."""
        row = await self._session.first(LOCK, _one(scope, collection_id))
        return None if row is None else _collection(row)

    async def through(
        self, scope: Scope, collection_id: UUID, index: UUID | None, *, hold: bool = False
    ) -> Collection | None:
        """A collection as one of its open indexes sees it (None: its first); None when it or the index is gone.

        With `hold` no cut can come before the transaction ends, and `held` tells how long publishing has to wait.
        """
        parameters = {**_one(scope, collection_id), "index": index or collection_id}
        row = await self._session.first(THROUGH_SHARED if hold else THROUGH, parameters)
        if row is None:
            return None
        about = CollectionRow(*row[len(indexes.columns) : len(indexes.columns) + len(collections.columns)])
        seen = seen_through(_collection(about), read_index(row))
        return replace(seen, held=row.held) if hold else seen

    async def hold(self, scope: Scope, collection_id: UUID, period: timedelta, rest: timedelta) -> timedelta:
        """Let publishing into what is searched wait from the commit on; what is being published ends first."""
        given = {**_one(scope, collection_id), "period": period, "rest": rest}
        return await self._session.scalar(HOLD, given) or timedelta()

    async def release(self, scope: Scope, collection_id: UUID) -> None:
        """End a hold, if there is one."""
        await self._session.run(RELEASE, _one(scope, collection_id))

    async def cut(self, scope: Scope, collection: Collection, index: Index) -> bool:
        """Search `index` from now on instead of the one `collection` was read with; False when that has changed."""
        values = {
            "index_id": index.id,
            "slot": index.slot,
            "model": index.model.name,
            "dimensions": index.model.dimensions,
            "max_tokens": index.model.max_tokens,
            "chunk_method": index.chunking.method,
            "chunk_size": index.chunking.size,
            "chunk_overlap": index.chunking.overlap,
            "held_until": None,
        }
        where = {**_one(scope, collection.id), "before": collection.index_id}
        return await self._session.first(CUT.values(values), where) is not None

    async def get_many(self, scope: Scope, collection_ids: Sequence[UUID]) -> Sequence[Collection]:
        """Those that exist and are not deleted, oldest first."""
        if not collection_ids:
            return []
        rows = await self._session.all(
            GET_MANY, {"tenant": scope.tenant_id, "project": scope.project_id, "ids": list(collection_ids)}
        )
        return sorted((_collection(row) for row in rows), key=lambda one: (one.created_at, one.id))

    async def list(self, scope: Scope, after: After | None, limit: int) -> Sequence[Collection]:
        """Live collections of the project, newest first."""
        statement, place = page_after(LIST, collections, after, limit)
        rows = await self._session.all(statement, {"tenant": scope.tenant_id, "project": scope.project_id, **place})
        return [_collection(row) for row in rows]

    async def summary(self, scope: Scope, collection_id: UUID) -> CollectionSummary | None:
        """A collection with counts of its documents that are not deleted, and of the chunks that are searched."""
        row = await self._session.first(SUMMARY, _one(scope, collection_id))
        if row is None:
            return None
        every, indexed, failed = row.documents
        return CollectionSummary(_collection(row), every, indexed, failed, int(row.chunks))

    async def named(self, scope: TenantScope, subject: Subject, limit: int) -> Sequence[Collection]:
        """Collections within a deleted collection, project or tenant that still have a name, up to `limit`."""
        named = select(collections).where((C.tenant_id == TENANT) & NAMED[subject.kind] & (C.name != text("''")))
        rows = await self._session.all(
            named.limit(bindparam("most")), {"tenant": scope.tenant_id, "subject": subject.id, "most": limit}
        )
        return [_collection(row) for row in rows]

    async def save(self, scope: Scope, collection: Collection) -> None:
        """Write a changed collection back, except its model and index, which only `cut` changes.

        Raises:
            Conflict: the project has another live collection of this name; the transaction is over then.
        """
        try:
            await self._session.run(SAVE.values(_values(collection)), _one(scope, collection.id))
        except Conflict as error:
            raise _taken(collection) from error


def _one(scope: Scope, collection_id: UUID) -> dict[str, object]:
    return {"tenant": scope.tenant_id, "project": scope.project_id, "of_id": collection_id}


def _taken(collection: Collection) -> Conflict:
    return Conflict(f"there is a collection named {collection.name!r} in this project already", code="name_taken")


def _values(collection: Collection) -> Mapping[str, object]:
    return {
        "name": collection.name,
        "description": collection.description,
        "language": collection.language,
        "chunk_method": collection.chunking.method,
        "chunk_size": collection.chunking.size,
        "chunk_overlap": collection.chunking.overlap,
        "deleted_at": collection.deleted_at,
    }


def _index_values(collection: Collection) -> Mapping[str, object]:
    """What only a cut changes."""
    return {
        "model": collection.model.name,
        "dimensions": collection.model.dimensions,
        "max_tokens": collection.model.max_tokens,
        "index_id": collection.index_id,
        "slot": collection.slot,
    }


def _first(collection: Collection) -> Index:
    return Index(
        id=collection.id,
        tenant_id=collection.tenant_id,
        project_id=collection.project_id,
        collection_id=collection.id,
        slot=0,
        state=IndexState.LIVE,
        model=collection.model,
        chunking=collection.chunking,
        created_at=collection.created_at,
        changed_at=collection.created_at,
    )


def _collection(row: Any) -> Collection:
    return Collection(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        name=row.name,
        model=EmbeddingModel(row.model, row.dimensions, row.max_tokens),
        chunking=Chunking(ChunkMethod(row.chunk_method), row.chunk_size, row.chunk_overlap),
        created_at=row.created_at,
        description=row.description,
        language=row.language,
        deleted_at=row.deleted_at,
        index=None if row.index_id == row.id else row.index_id,
        slot=row.slot,
    )
