"""Look at reindexes, and at the questions they are scored by."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.domain.collections import Collection
from shared.domain.errors import Invalid, NotFound
from shared.domain.indexes import Index, IndexState, Progress
from shared.domain.questions import MAX_QUESTIONS, Question
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports


@dataclass(frozen=True, slots=True)
class Status:
    """An index and how far it is behind what is searched; for the searched one and for dropped ones nothing is."""

    index: Index
    progress: Progress


async def status(scope: Scope, ports: Ports, index_id: UUID) -> Status:
    """One reindex.

    Raises:
        NotFound: no such reindex.
    """
    scope.require(Permission.COLLECTIONS_READ)
    await ports.access.everything()
    index = await ports.indexes.get(scope, index_id)
    collection = None if index is None else await ports.collections.get(scope, index.collection_id)
    live = None if collection is None else await ports.indexes.get(scope, collection.index_id)
    if index is None or live is None:
        raise NotFound("no such reindex in this project", code="reindex_not_found")
    compared = index.open and index.state is not IndexState.LIVE
    return Status(index, await ports.indexes.progress(scope, index, live) if compared else Progress())


async def list_reindexes(scope: Scope, ports: Ports, collection_id: UUID) -> Sequence[Index]:
    """Every index of a collection, newest first.

    Raises:
        NotFound: no such collection.
    """
    scope.require(Permission.COLLECTIONS_READ)
    await _existing(scope, ports, collection_id)
    return await ports.indexes.of(scope, collection_id)


async def questions(scope: Scope, ports: Ports, collection_id: UUID) -> Sequence[Question]:
    """The collection's own questions.

    Raises:
        NotFound: no such collection.
    """
    scope.require(Permission.COLLECTIONS_READ)
    await _existing(scope, ports, collection_id)
    return await ports.indexes.questions(scope, collection_id)


async def ask(scope: Scope, ports: Ports, collection_id: UUID, asked: Sequence[Question]) -> Sequence[Question]:
    """Make these the collection's questions; none: they are made from its documents.

    Raises:
        NotFound: no such collection, or a document that is expected is none of it.
        Invalid: more than 200.
    """
    scope.require(Permission.COLLECTIONS_WRITE)
    await _existing(scope, ports, collection_id)
    if len(asked) > MAX_QUESTIONS:
        raise Invalid(f"{len(asked)} questions; {MAX_QUESTIONS} at most", code="too_many_questions")
    for document_id in {one.document_id for question in asked for one in question.expected}:
        document = await ports.documents.get(scope, document_id)
        if document is None or document.deleted or document.collection_id != collection_id:
            raise NotFound(f"no document {document_id} in this collection", code="document_not_found")
    await ports.indexes.ask(scope, collection_id, asked)
    return asked


async def _existing(scope: Scope, ports: Ports, collection_id: UUID) -> Collection:
    found = await ports.collections.get(scope, collection_id)
    if found is None:
        raise NotFound("no such collection in this project", code="collection_not_found")
    return found
