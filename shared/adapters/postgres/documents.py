"""Documents and their generations."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Uuid,
    any_,
    bindparam,
    case,
    column,
    exists,
    func,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from shared.adapters.postgres.document_rows import (
    DOCUMENT_COLUMNS,
    GENERATION_COLUMNS,
    GENERATION_KEY,
    SHOWN,
    document_values,
    generation_values,
    read_array,
    read_both,
    read_document,
    read_generation,
)
from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.filters import compiled
from shared.adapters.postgres.gate import GONE_WITH, LIVE_SLOT
from shared.adapters.postgres.lookup import Lookup, spelled
from shared.adapters.postgres.models import collections, documents, generations
from shared.adapters.postgres.statements import ID, NUMBER, PROJECT, ROOM_LIVE, TENANT, page_after, within
from shared.domain.documents import Document, Generation, Recipe
from shared.domain.errors import Conflict
from shared.domain.filters import Filter
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.reindexing import Staleness
from shared.domain.tenants import Scope, TenantScope
from shared.ports.documents import DocumentFilter, DueGeneration, FailedFilter, Unswept

D, G, C = documents.c, generations.c, collections.c

# For statements that find nothing that is gone.
PRESENT = select(*SHOWN, null().label("gone_with"), LIVE_SLOT)

MINE = (D.tenant_id == TENANT) & (D.project_id == PROJECT)
NO_TOMBSTONE = D.tombstoned_at.is_(None)
# A document is gone with what it is in, though that alone has a tombstone as yet.
NOT_DELETED = (
    NO_TOMBSTONE
    & ROOM_LIVE
    & exists().where((C.tenant_id == D.tenant_id) & (C.id == D.collection_id) & C.deleted_at.is_(None))
)
SEARCHABLE = NOT_DELETED & exists().where(
    (C.tenant_id == D.tenant_id)
    & (C.id == D.collection_id)
    & case((C.slot == 0, D.committed_0), else_=D.committed_1).is_not(None)
)

ADD = (
    insert(documents)
    .on_conflict_do_nothing(
        index_elements=[D.tenant_id, D.collection_id, D.path], index_where=(D.path != text("''")) & NO_TOMBSTONE
    )
    .returning(D.id)
)
PROJECT_OF = Lookup(select(D.project_id).where((D.tenant_id == TENANT) & (D.id == ID)))
ONE = select(*SHOWN, GONE_WITH, LIVE_SLOT).where(MINE & (D.id == ID))
GET = Lookup(ONE)
LOCK = Lookup(ONE.with_for_update(of=documents))
WITH_GENERATIONS = select(
    *SHOWN, GONE_WITH, LIVE_SLOT, *(column.label(f"generation_{column.name}") for column in G)
).join(generations, (G.tenant_id == D.tenant_id) & (G.document_id == D.id))
# Functions of the server, whose plans it keeps; what they give is what `WITH_GENERATIONS` gives.
LATEST = spelled("SELECT CAST(lambent_latest_document(:tenant, :project, :of_id) AS text)", reads=True)
LOCK_BOTH = spelled("SELECT CAST(lambent_locked_document(:tenant, :project, :of_id, :of_number) AS text)")
NAMED = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid)), bindparam("numbers", type_=ARRAY(Integer)))
    .table_valued(column("id", Uuid), column("number", Integer), name="named")
    .render_derived()
)
# The ids are asked of each table, not only of the join: a server whose statistics are of a time when the tenant had few
# documents would read all of them to find some.
LOCK_ALL = Lookup(
    WITH_GENERATIONS.join(NAMED, (NAMED.c.id == D.id) & (NAMED.c.number == G.number))
    .where((D.tenant_id == TENANT) & (G.tenant_id == TENANT))
    .where((D.id == any_(bindparam("ids"))) & (G.document_id == any_(bindparam("ids"))))
    .order_by(D.id, G.number)
    .with_for_update(of=(documents, generations))
)
BY_PATH = PRESENT.where(
    MINE
    & (D.collection_id == bindparam("collection"))
    & (D.path == bindparam("path"))
    & (D.path != text("''"))
    & NOT_DELETED
).with_for_update(of=documents)
LIST = PRESENT.where(MINE & NOT_DELETED)
FAILED = LIST.join(
    generations, (G.tenant_id == D.tenant_id) & (G.document_id == D.id) & (G.number == D.latest_generation)
).where((G.project_id == PROJECT) & (G.state == text("'failed'")))
LIVING = select(D.id).where(MINE & NOT_DELETED & (D.id == any_(bindparam("ids", type_=ARRAY(Uuid)))))
MATCHING = select(D.id).where(
    MINE & SEARCHABLE & (D.collection_id == any_(bindparam("collections", type_=ARRAY(Uuid))))
)
SAVE = Lookup(update(documents).where(MINE & (D.id == ID)), DOCUMENT_COLUMNS)
COMMITS = [
    Lookup(
        update(documents)
        .where(MINE & (D.id == ID) & NOT_DELETED & or_(committed.is_(None), committed <= NUMBER))
        .values({committed: NUMBER})
        .returning(D.id)
    )
    for committed in (D.committed_0, D.committed_1)
]
SAME_CONTENT = Lookup(
    select(D.id)
    .where(MINE & SEARCHABLE & (D.content_hash == bindparam("content_hash")) & (D.id != ID))
    .order_by(D.created_at, D.id)
    .limit(1)
)

ADD_GENERATION = Lookup(insert(generations), (*GENERATION_KEY, "created_at", *GENERATION_COLUMNS))
OF_DOCUMENT = select(generations).where((G.tenant_id == TENANT) & (G.project_id == PROJECT) & (G.document_id == ID))
GENERATIONS = Lookup(OF_DOCUMENT.order_by(G.number.desc()))
GENERATION = Lookup(OF_DOCUMENT.where(G.number == NUMBER))
NAMED_GENERATION = update(generations).where(
    (G.tenant_id == TENANT) & (G.project_id == PROJECT) & (G.document_id == ID) & (G.number == NUMBER)
)
SAVE_GENERATION = Lookup(NAMED_GENERATION, GENERATION_COLUMNS)
CLAIM = Lookup(NAMED_GENERATION, ("lease_owner", "lease_until", "due_at", "waiting"))
UNAWAITED = text("SET LOCAL synchronous_commit = off")

# The lock of a document comes first everywhere; whoever holds one is not waited for.
TOMBSTONE = """
WITH chosen AS (
  SELECT id FROM documents WHERE tenant_id = :tenant AND {within} AND tombstoned_at IS NULL
  ORDER BY created_at, id LIMIT :most FOR UPDATE SKIP LOCKED
)
UPDATE documents d SET tombstoned_at = :now, updated_at = :now, status = 'deleting'
FROM chosen WHERE d.tenant_id = :tenant AND d.id = chosen.id RETURNING d.project_id, d.id
"""
SWEPT = text(
    "SELECT id, project_id, swept_at FROM documents WHERE tenant_id = :tenant AND id = ANY (CAST(:ids AS uuid[]))"
)
INDEXED = text("""
SELECT id, project_id FROM documents
WHERE tenant_id = :tenant AND (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid))
  AND (committed_0 IS NOT NULL OR committed_1 IS NOT NULL) AND tombstoned_at IS NULL
ORDER BY id LIMIT :most
""")
UNSWEPT = """
SELECT
  EXISTS (SELECT FROM documents WHERE tenant_id = :tenant AND {within} AND tombstoned_at IS NULL) AS living,
  (
    SELECT count(*) FROM documents
    WHERE tenant_id = :tenant AND {within} AND tombstoned_at IS NOT NULL AND swept_at IS NULL
  ) AS tombstoned
"""
DUE = text("SELECT tenant_id, project_id, document_id, number FROM lambent_due(:now, :most)")
STALENESS = text("""
SELECT count(*),
  count(*) FILTER (WHERE g.recipe_model <> :model OR g.recipe_chunking <> :chunking
    OR g.recipe_reader <> :reader OR g.recipe_pipeline <> :pipeline),
  count(*) FILTER (WHERE g.recipe_model <> :model),
  count(*) FILTER (WHERE g.recipe_chunking <> :chunking),
  count(*) FILTER (WHERE g.recipe_reader <> :reader),
  count(*) FILTER (WHERE g.recipe_pipeline <> :pipeline),
  coalesce(sum(CAST(g.counts ->> 'chunks' AS bigint)), 0),
  coalesce(sum(CAST(g.counts ->> 'characters' AS bigint)), 0)
FROM documents d
JOIN collections c ON c.tenant_id = :tenant AND c.id = d.collection_id AND c.deleted_at IS NULL
JOIN generations g ON g.tenant_id = :tenant AND g.document_id = d.id
  AND g.number = CASE c.slot WHEN 0 THEN d.committed_0 ELSE d.committed_1 END
WHERE d.tenant_id = :tenant AND d.project_id = :project AND d.collection_id = :of_id AND d.tombstoned_at IS NULL
""")
TOMBSTONED = text("SELECT tenant_id, project_id, document_id, number FROM lambent_tombstoned(:most)")


class PgDocuments:
    """Storage of documents and generations."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: Scope, document: Document, generation: Generation) -> None:
        """Store a new document with its first generation.

        Raises:
            Conflict: a live document of the collection has this path already.
        """
        values = {
            **_mine(scope),
            **document_values(document),
            "id": document.id,
            "created_at": document.created_at,
            "committed_0": None,
            "committed_1": None,
        }
        if await self._session.first(ADD, values) is None:
            raise Conflict(
                f"a document with the path {document.path!r} is in this collection already", code="path_taken"
            )
        await self.add_generation(scope, generation)

    async def project_of(self, scope: TenantScope, document_id: UUID) -> UUID | None:
        """The project a document of the tenant belongs to; None when there is no such document."""
        row = await self._session.first(PROJECT_OF, {"tenant": scope.tenant_id, "of_id": document_id})
        return None if row is None else row[0]

    async def get(self, scope: Scope, document_id: UUID) -> Document | None:
        """One document, deleted ones too."""
        row = await self._session.first(GET, _one(scope, document_id))
        return None if row is None else read_document(row)

    async def latest(self, scope: Scope, document_id: UUID) -> tuple[Document, Generation] | None:
        """One document, deleted ones too, with its latest generation."""
        found = await self._session.scalar(LATEST, _one(scope, document_id))
        return None if found is None else read_array(found)

    async def lock_with(self, scope: Scope, document_id: UUID, number: int) -> tuple[Document, Generation] | None:
        """One document, locked until the transaction ends, with one of its generations.

        None when either is not there.
        """
        found = await self._session.scalar(LOCK_BOTH, {**_one(scope, document_id), "of_number": number})
        return None if found is None else read_array(found)

    async def lock_all(
        self, scope: TenantScope, named: Sequence[tuple[UUID, int]]
    ) -> Mapping[tuple[UUID, int], tuple[Document, Generation]]:
        """As `lock_with` for many of the tenant, whichever project's, locked in the order of their ids."""
        if not named:
            return {}
        ids, numbers = zip(*dict.fromkeys(named), strict=True)
        wanted = {"tenant": scope.tenant_id, "ids": list(ids), "numbers": list(numbers)}
        found = [read_both(row) for row in await self._session.all(LOCK_ALL, wanted)]
        return {(document.id, generation.number): (document, generation) for document, generation in found}

    async def get_by_path(self, scope: Scope, collection_id: UUID, path: str) -> Document | None:
        """The live document with this path, locked until the transaction ends."""
        parameters = {"tenant": scope.tenant_id, "project": scope.project_id, "collection": collection_id, "path": path}
        row = await self._session.first(BY_PATH, parameters)
        return None if row is None else read_document(row)

    async def list(self, scope: Scope, wanted: DocumentFilter, after: After | None, limit: int) -> Sequence[Document]:
        """Documents that are not deleted, newest first (created_at, id), up to `limit`."""
        conditions: list[ColumnElement[bool]] = []
        if wanted.collection_id is not None:
            conditions.append(D.collection_id == wanted.collection_id)
        if wanted.status is not None:
            conditions.append(D.status == wanted.status)
        if wanted.filter is not None:
            conditions.append(compiled(wanted.filter))
        statement, place = page_after(LIST.where(*conditions), documents, after, limit)
        rows = await self._session.all(statement, {"tenant": scope.tenant_id, "project": scope.project_id, **place})
        return [read_document(row) for row in rows]

    async def failed(self, scope: Scope, wanted: FailedFilter, after: After | None, limit: int) -> Sequence[Document]:
        """Documents that are not deleted and whose latest generation failed, in the order of `list`."""
        conditions: list[ColumnElement[bool]] = []
        if wanted.collection_id is not None:
            conditions.append(D.collection_id == wanted.collection_id)
        if wanted.reason is not None:
            conditions.append(G.failure["code"].as_string() == wanted.reason)
        statement, place = page_after(FAILED.where(*conditions), documents, after, limit)
        rows = await self._session.all(statement, {"tenant": scope.tenant_id, "project": scope.project_id, **place})
        return [read_document(row) for row in rows]

    async def matching_ids(
        self, scope: Scope, collection_ids: Sequence[UUID], filter: Filter, limit: int
    ) -> Sequence[UUID]:
        """Ids of searchable documents of the collections that pass the filter, up to `limit`."""
        if not collection_ids:
            return []
        statement = MATCHING.where(compiled(filter)).limit(bindparam("most"))
        parameters = {
            "tenant": scope.tenant_id,
            "project": scope.project_id,
            "collections": list(collection_ids),
            "most": limit,
        }
        return [row[0] for row in await self._session.all(statement, parameters)]

    async def living(self, scope: Scope, document_ids: Sequence[UUID]) -> Set[UUID]:
        """Those of the documents that are there and not deleted, nor anything they are in."""
        if not document_ids:
            return set()
        where = {"tenant": scope.tenant_id, "project": scope.project_id, "ids": list(document_ids)}
        return {row[0] for row in await self._session.all(LIVING, where)}

    async def lock(self, scope: Scope, document_id: UUID) -> Document | None:
        """One document, locked until the transaction ends."""
        row = await self._session.first(LOCK, _one(scope, document_id))
        return None if row is None else read_document(row)

    async def save(self, scope: Scope, document: Document) -> None:
        """Write a changed document back, except `committed_generation`, which only `commit` changes."""
        self._session.later(SAVE, {**_one(scope, document.id), **document_values(document)})

    async def commit(self, scope: Scope, document_id: UUID, generation: int, slot: int = 0) -> bool:
        """Compare-and-set the generation committed in a slot.

        False when a newer one is committed there or the document is tombstoned.
        """
        return (
            await self._session.first(COMMITS[slot], {**_one(scope, document_id), "of_number": generation}) is not None
        )

    async def same_content(self, scope: Scope, document_id: UUID, content_hash: str) -> UUID | None:
        """Another searchable document of the project with these bytes, the oldest; None when there is none."""
        row = await self._session.first(SAME_CONTENT, {**_one(scope, document_id), "content_hash": content_hash})
        return None if row is None else row[0]

    async def add_generation(self, scope: Scope, generation: Generation) -> None:
        """Store a further generation."""
        await self._session.run(
            ADD_GENERATION,
            {
                **_mine(scope),
                **generation_values(generation),
                "document_id": generation.document_id,
                "number": generation.number,
                "created_at": generation.created_at,
            },
        )

    async def generation(self, scope: Scope, document_id: UUID, number: int) -> Generation | None:
        """One generation."""
        row = await self._session.first(GENERATION, {**_one(scope, document_id), "of_number": number})
        return None if row is None else read_generation(row)

    async def generations(self, scope: Scope, document_id: UUID) -> Sequence[Generation]:
        """All generations of a document, newest first."""
        return [read_generation(row) for row in await self._session.all(GENERATIONS, _one(scope, document_id))]

    async def save_generation(self, scope: Scope, generation: Generation) -> None:
        """Write a changed generation back."""
        named = {**_one(scope, generation.document_id), "of_number": generation.number}
        self._session.later(SAVE_GENERATION, {**named, **generation_values(generation)})

    async def claim(self, scope: Scope, generation: Generation) -> None:
        """Write the lease that a generation got; the commit does not wait for the disk."""
        lease = {
            "lease_owner": generation.lease_owner,
            "lease_until": generation.lease_until,
            "due_at": generation.due_at,
            "waiting": generation.waiting,
        }
        self._session.later(UNAWAITED, {})
        named = {**_one(scope, generation.document_id), "of_number": generation.number}
        self._session.later(CLAIM, {**named, **lease})

    async def due(self, now: datetime, limit: int) -> Sequence[DueGeneration]:
        """Across tenants: unfinished generations whose `due_at` has passed, but for those in line. Ids only.

        In turns of the tenants, the longest overdue first.
        """
        return [DueGeneration(*row) for row in await self._session.all(DUE, {"now": now, "most": limit})]

    async def staleness(self, scope: Scope, collection_id: UUID, wanted: Recipe) -> Staleness:
        """How what is searched of a collection differs from the wanted recipe."""
        row = await self._session.first(STALENESS, {**_one(scope, collection_id), **asdict(wanted)})
        return Staleness() if row is None else Staleness(*row)

    async def tombstoned(self, limit: int) -> Sequence[DueGeneration]:
        """Across tenants: documents deleted but not yet swept (`number` is the latest generation).

        The oldest first, but one of each tenant before the second of any. Ids only.
        """
        return [DueGeneration(*row) for row in await self._session.all(TOMBSTONED, {"most": limit})]

    async def tombstone(
        self, scope: TenantScope, subject: Subject, now: datetime, limit: int
    ) -> Sequence[tuple[UUID, UUID]]:
        """Give documents of a deleted collection, project or tenant a tombstone of their own, up to `limit`.

        Those that another transaction holds are left for the next time. Returns project and document ids.
        """
        parameters = {"tenant": scope.tenant_id, "subject": subject.id, "now": now, "most": limit}
        rows = await self._session.all(text(TOMBSTONE.format(within=within(subject))), parameters)
        return [(row.project_id, row.id) for row in rows]

    async def swept(self, scope: TenantScope, document_ids: Sequence[UUID]) -> Mapping[UUID, tuple[UUID, bool]]:
        """Those of the documents that have a row: their project, and whether they are deleted and swept."""
        rows = await self._session.all(SWEPT, {"tenant": scope.tenant_id, "ids": list(document_ids)})
        return {row.id: (row.project_id, row.swept_at is not None) for row in rows}

    async def indexed(self, scope: TenantScope, after: UUID | None, limit: int) -> Sequence[tuple[UUID, UUID]]:
        """Project and id of documents of the tenant that have a committed generation and no tombstone, by id."""
        rows = await self._session.all(INDEXED, {"tenant": scope.tenant_id, "after": after, "most": limit})
        return [(row.project_id, row.id) for row in rows]

    async def unswept(self, scope: TenantScope, subject: Subject) -> Unswept:
        """What is left to do of a deleted collection, project or tenant."""
        row = await self._session.first(
            text(UNSWEPT.format(within=within(subject))), {"tenant": scope.tenant_id, "subject": subject.id}
        )
        return Unswept(row.living, row.tombstoned)


def _mine(scope: Scope) -> dict[str, object]:
    return {"tenant_id": scope.tenant_id, "project_id": scope.project_id}


def _one(scope: Scope, document_id: UUID) -> dict[str, object]:
    return {"tenant": scope.tenant_id, "project": scope.project_id, "of_id": document_id}
