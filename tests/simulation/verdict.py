"""What must be true at the end, when everything has come to rest."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from shared.domain.documents import Document, Generation, GenerationState
from shared.domain.indexes import Index, IndexState
from shared.domain.ingestions import CANCELLED
from shared.domain.receipts import Subject, SubjectKind
from shared.ports.blobs import Bucket
from tests.simulation.contents import pieces
from tests.simulation.leftovers import left_behind
from tests.simulation.model import Upload
from tests.simulation.runs import judged
from tests.simulation.sight import Sight, short

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
    yield from left_behind(history, sight)
    yield from judged(sight, history.endpoint)
    yield from _billed(history, sight)
    yield from _rooms(history, sight)
    yield from _in_step(sight)
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
    sight = history.watch.sight
    for one in generations:
        index, served = sight.index(one), document.committed_in(one.slot) or 0
        if index is None or not index.open:
            continue
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
    if code == CANCELLED:
        runs = {one.id for one in history.watch.sight.runs() if one.cancelled_at is not None}
        if generation.ingestion_id not in runs & history.model.runs_cancelled:
            yield f"{name} was cancelled and its run was not"
    elif code in PERMANENT:
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
    """No upload that was taken is passed over, but for one that a later one to the same place replaced.

    Nor one that came in for a run that was cancelled: it is kept for whoever processes the document again.
    """
    newest: dict[int, Upload] = {}
    for one in history.model.of(document.id):
        newest[one.slot] = one
    for slot, upload in newest.items():
        key = f"{document.tenant_id}/{document.id}/{slot}"
        of_key = [one for one in generations if one.source.key == key and one.source.version_id]
        if any(one.failure and one.failure.code == CANCELLED for one in generations if one.number == slot):
            continue
        last = max(of_key, key=lambda one: (one.upload, one.number)).source.version_id if of_key else ""
        indexed = history.model.uploads.get(last)
        if indexed is None or indexed.body != upload.body:
            yield f"the newest upload to slot {slot} of {short(document.id)} is {upload.version_id}, indexed is {last}"


def _repeated(document: Document, generations: list[Generation]) -> Iterator[str]:
    """What is processed again is the newest upload there was."""
    for index in {one.index for one in generations}:
        made = [one for one in generations if one.index == index and one.source.version_id]
        for place, one in enumerate(made):
            before = [earlier.source.version_id for earlier in made[:place]]
            if one.source.version_id in before and before[-1] != one.source.version_id:
                yield f"generation {one.number} of {short(document.id)} repeats an upload that was replaced"


def _billed(history: "History", sight: Sight) -> Iterator[str]:
    """What the versions of a tenant are billed for is what was paid for and kept, each text once."""
    billed: Counter[UUID] = Counter()
    for one in sight.generations():
        billed[one.tenant_id] += one.counts.embedded
    if +billed != +history.watch.ledger.kept():
        yield f"{dict(billed)} texts are billed, {dict(history.watch.ledger.kept())} were embedded and kept"


def _rooms(history: "History", sight: Sight) -> Iterator[str]:
    """A deleted collection, project or tenant has a receipt that is complete, and no name."""
    receipts = {one.subject: one for one in sight.receipts()}
    for kind in (SubjectKind.COLLECTION, SubjectKind.PROJECT, SubjectKind.TENANT):
        for _, _, row in sight.table(f"{kind.value}s"):
            receipt = receipts.get(Subject(kind, row.id))
            if history.model.rooms_deleted.get(row.id) is kind and row.deleted_at is None:
                yield f"{kind.value} {short(row.id)} is there though its deletion was answered"
            if receipt is not None and (not receipt.complete or row.name):
                yield f"deleted {kind.value} {short(row.id)} is {row.name!r}, its receipt says {receipt.remaining}"
    for document in sight.documents():
        if document.gone_with is not None and document.swept_at is None:
            yield f"document {short(document.id)} was left when what it is in was deleted"


def _in_step(sight: Sight) -> Iterator[str]:
    """An index that is kept for a cut has of every document the newest upload that is searched, or failed on it."""
    generations = sight.generations()
    for index in sight.indexes():
        collection = sight.collection(index.tenant_id, index.collection_id)
        if index.state in (IndexState.BUILDING, IndexState.DROPPING):
            failed = any(one.index == index.id and one.state is GenerationState.FAILED for one in generations)
            if index.state is IndexState.DROPPING or not failed:
                yield f"index {short(index.id)} stays {index.state.value}"
        if collection is None or sight.away(collection) or not index.open or index.id == collection.index_id:
            continue
        for document in sight.documents():
            if document.collection_id != collection.id or document.deleted:
                continue
            shown = sight.generation(document.tenant_id, document.id, sight.served(document))
            tries = [one for one in generations if one.document_id == document.id and one.index == _named(index)]
            if shown is not None and not any(one.upload >= shown.upload and one.terminal for one in tries):
                yield f"index {short(index.id)} lacks upload {shown.upload} of {short(document.id)}"


def _named(index: Index) -> UUID | None:
    """How generations name it: a collection's first index has no name."""
    return None if index.id == index.collection_id else index.id
