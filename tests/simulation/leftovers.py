"""What no store may hold in the end: anything that no row accounts for, and no figure that does not add up."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from shared.domain.documents import GenerationState
from shared.domain.indexes import IndexState
from shared.ports.blobs import Bucket
from tests.simulation.sight import Sight, short

if TYPE_CHECKING:
    from tests.simulation.history import History


def left_behind(history: "History", sight: Sight) -> Iterator[str]:
    """Everything that was left behind in a store."""
    served = set(_kept_generations(history, sight))
    for table in ("chunks", "keywords", "vectors", "counted"):
        for _, key, row in sight.table(table):
            if row and (key[0], key[1]) not in served:
                yield f"{table} of generation {key[1]} of {short(key[0])} are left behind"
    if history.remote is not None:
        # What a process wrote after the database had given it up is found when rows and stores are compared.
        passed_over = frozenset() if history.compared else history.remote.stray
        for _, _, id in history.remote.held():
            if (id.document_id, id.generation) not in served and id not in passed_over:
                yield f"the vector store keeps generation {id.generation} of {short(id.document_id)}"
    used = {(tenant, chunk.content_hash) for tenant, _, chunks in sight.table("chunks") for chunk in chunks.values()}
    for tenant, key, _ in sight.table("cache"):
        if (tenant, key[0]) not in used:
            yield f"the cache keeps a text that no document has ({key[0][:8]})"
    yield from _objects(history, sight)
    yield from _statistics(sight)


def _kept_generations(history: "History", sight: Sight) -> Iterator[tuple[UUID, int]]:
    """What is searched, what stands by in another index, and what failed: a retry goes on with that.

    The next generation that is published takes a failed one away, and so does the comparison of rows and stores where
    an earlier one is searched.
    """
    living = {one.id: one for one in sight.documents() if not one.deleted}
    for one in sight.generations():
        document, index = living.get(one.document_id), sight.index(one)
        if document is None or index is None or not index.open:
            continue
        committed = document.committed_in(one.slot) or 0
        failed = one.state is GenerationState.FAILED and one.number > committed
        if one.number == committed or (failed and not (history.compared and sight.served(document))):
            yield document.id, one.number


def _objects(history: "History", sight: Sight) -> Iterator[str]:
    live = {one.id for one in sight.documents() if not one.deleted}
    known = {(one.document_id, one.number) for one in sight.generations()}
    for bucket, folders in ((Bucket.UPLOADS, 0), (Bucket.WORK, 1)):
        for key in history.blobs.keys(bucket):
            _, document, number = key.removesuffix(".json").split("/")[folders : folders + 3]
            if UUID(document) not in live or (UUID(document), int(number)) not in known:
                yield f"an object is left in {bucket.value}: {key[-60:]}"


def _statistics(sight: Sight) -> Iterator[str]:
    """The statistics of every index are those of what it serves: chunks, words, and how many chunks have each word."""
    chunks, length, containing = Counter[UUID](), Counter[UUID](), Counter[tuple[UUID, int]]()
    for document in sight.documents():
        for one in sight.generations() if not document.deleted else ():
            if one.document_id == document.id and one.number == document.committed_in(one.slot):
                index = one.index or document.collection_id
                for words in sight.words(one.tenant_id, document.id, one.number).values():
                    chunks[index] += 1
                    length[index] += words.length
                    containing.update((index, term) for term in words.counts)
    indexes = {one.id: one for one in sight.indexes()}
    for _, (index,), counted in sight.table("statistics"):
        if indexes[index].state is IndexState.DROPPED:
            yield f"the statistics of index {short(index)} are left behind"
        elif (counted.chunks, counted.length) != (chunks[index], length[index]):
            yield f"{counted.chunks} chunks are counted where {chunks[index]} are searched"
        elif dict(counted.containing) != {term: count for (of, term), count in containing.items() if of == index}:
            yield f"the words of index {short(index)} are not counted as they are searched"
