"""What must be true at the end, when everything has come to rest."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from shared.domain.documents import Document, Generation, GenerationState
from shared.ports.blobs import Bucket
from tests.simulation.contents import pieces
from tests.simulation.model import Upload
from tests.simulation.sight import Sight
from tests.simulation.witness import short

if TYPE_CHECKING:
    from tests.simulation.history import History

PERMANENT = frozenset({"empty_file", "unsupported_type", "no_text", "content_refused"})
TRIES = 5


def verdict(history: "History") -> Iterator[str]:
    """Everything that is wrong at the end of a history."""
    sight = history.watch.sight
    generations: dict[UUID, list[Generation]] = {}
    for one in sight.generations():
        generations.setdefault(one.document_id, []).append(one)
    for document in sight.documents():
        known = sorted(generations[document.id], key=lambda one: one.number)
        if document.deleted:
            yield from _gone(history, sight, document)
        else:
            yield from _kept(history, document, known)
    for document_id in history.model.deleted:
        if not any(one.id == document_id and one.deleted for one in sight.documents()):
            yield f"document {short(document_id)} is there though its deletion was answered"
    yield from _orphans(history, sight)
    yield from _statistics(sight)
    if left := sight.outbox():
        yield f"{left} messages stay in the outbox"


def _gone(history: "History", sight: Sight, document: Document) -> Iterator[str]:
    name = f"deleted document {short(document.id)}"
    receipts = [one for one in sight.receipts() if one.subject.id == document.id]
    if len(receipts) != 1 or not receipts[0].complete:
        yield f"{name} has {len(receipts)} receipts, complete: {[one.complete for one in receipts]}"
    for table in ("chunks", "keywords", "vectors", "counted"):
        if any(key[0] == document.id for _, key, _ in sight.table(table)):
            yield f"{name} left rows in {table}"
    for bucket in Bucket:
        if any(f"{document.tenant_id}/{document.id}/" in key for key in history.blobs.keys(bucket)):
            yield f"{name} left objects in {bucket.value}"


def _kept(history: "History", document: Document, generations: list[Generation]) -> Iterator[str]:
    name = f"document {short(document.id)}"
    bodies = {one.number: history.model.uploads.get(one.source.version_id) for one in generations}
    for one in generations:
        served = document.committed_in(one.slot) or 0
        if one.state is GenerationState.COMMITTED and one.number > served:
            yield f"{name} serves generation {served} though {one.number} was published"
        if one.state is GenerationState.SUPERSEDED and one.number > served:
            yield f"{name} serves generation {served}, and {one.number} gave way to nothing"
        if one.state is GenerationState.UNCHANGED and one.number > served:
            now, then = bodies[served], bodies[one.number]
            if now is None or then is None or now.body != then.body:
                yield f"{name} serves generation {served}; {one.number} ended as unchanged, and is not the same"
        if one.state is GenerationState.FAILED:
            yield from _failed(history, document, one, bodies[one.number])
    yield from _noticed(history, document, generations)
    yield from _repeated(document, generations)


def _failed(history: "History", document: Document, generation: Generation, upload: Upload | None) -> Iterator[str]:
    name = f"generation {generation.number} of {short(document.id)}"
    code = generation.failure.code if generation.failure else ""
    if code in PERMANENT:
        if upload is None or pieces(upload.body, history.chunkings[0]) is not None:
            yield f"{name} failed as {code}, and there is nothing wrong with it"
    elif code == "upload_never_arrived":
        finished = (generation.finished_at or generation.created_at) - history.start
        for one in history.model.of(document.id):
            if one.slot == generation.number and one.at < finished.total_seconds() - 60:
                yield f"{name} failed as {code}, and the upload was there"
    elif history.faults.harm < TRIES:
        yield f"{name} failed as {code} after {history.faults.harm} faults: {generation.failure}"


def _noticed(history: "History", document: Document, generations: list[Generation]) -> Iterator[str]:
    """No upload that was taken is passed over, but for one that a later one to the same place replaced."""
    newest: dict[int, Upload] = {}
    for one in history.model.of(document.id):
        newest[one.slot] = one
    for slot, upload in newest.items():
        key = f"{document.tenant_id}/{document.id}/{slot}"
        of_key = [one for one in generations if one.source.key == key and one.source.version_id and one.slot == 0]
        last = of_key[-1].source.version_id if of_key else ""
        indexed = history.model.uploads.get(last)
        if indexed is None or indexed.body != upload.body:
            yield f"the newest upload to slot {slot} of {short(document.id)} is {upload.version_id}, indexed is {last}"


def _repeated(document: Document, generations: list[Generation]) -> Iterator[str]:
    """What is processed again is the newest upload there was."""
    made = [one for one in generations if one.slot == 0 and one.source.version_id]
    for place, one in enumerate(made):
        before = [earlier.source.version_id for earlier in made[:place]]
        if one.source.version_id in before and before[-1] != one.source.version_id:
            yield f"generation {one.number} of {short(document.id)} repeats an upload that was replaced"


def _orphans(history: "History", sight: Sight) -> Iterator[str]:
    served = set(_kept_generations(sight))
    for table in ("chunks", "keywords", "vectors", "counted"):
        for _, key, row in sight.table(table):
            if row and (key[0], key[1]) not in served:
                yield f"{table} of generation {key[1]} of {short(key[0])} are left behind"
    if history.remote is not None:
        for _, _, id in history.remote.held():
            if (id.document_id, id.generation) not in served and id not in history.remote.stray:
                yield f"the vector store keeps generation {id.generation} of {short(id.document_id)}"
    used = {(tenant, chunk.content_hash) for tenant, _, chunks in sight.table("chunks") for chunk in chunks.values()}
    for tenant, key, _ in sight.table("cache"):
        if (tenant, key[0]) not in used:
            yield f"the cache keeps a text that no document has ({key[0][:8]})"
    yield from _objects(history, sight)


def _kept_generations(sight: Sight) -> Iterator[tuple[UUID, int]]:
    """What is searched, what stands by in another index, and what failed: a retry goes on with that.

    The next generation that is published takes a failed one away.
    """
    living = {one.id: one for one in sight.documents() if not one.deleted}
    for one in sight.generations():
        document = living.get(one.document_id)
        committed = document.committed_in(one.slot) or 0 if document else 0
        if document and (one.number == committed or (one.state is GenerationState.FAILED and one.number > committed)):
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
    chunks: Counter[UUID] = Counter()
    for document in sight.documents():
        for one in sight.generations() if not document.deleted else ():
            if one.document_id == document.id and one.number == document.committed_in(one.slot):
                of_it = sight.chunks(one.tenant_id, document.id, one.number)
                chunks[one.index or document.collection_id] += len(of_it)
    for _, key, counted in sight.table("statistics"):
        if counted.chunks != chunks[key[0]]:
            yield f"{counted.chunks} chunks are counted where {chunks[key[0]]} are searched"
