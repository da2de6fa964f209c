"""Take failed documents up again, from the furthest step whose input is still there."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from shared.domain.documents import Document, Generation, GenerationState, Reason, text_key
from shared.domain.errors import Conflict, NotFound
from shared.domain.pages import After, decode_cursor, fingerprint, page_of
from shared.domain.retrying import concerned, restart
from shared.domain.tenants import Permission, Scope
from shared.ports.blobs import Bucket
from shared.ports.documents import FailedFilter
from shared.ports.ports import Ports
from shared.usecases.documents.process import begin, collection_of
from shared.usecases.documents.upload import recipe_of
from shared.usecases.happenings.tell import run_going_on, tell

log = structlog.get_logger()

UPLOAD_NEEDED = "upload_needed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that no retry helps, and why."""

    document_id: UUID
    reason: Reason


@dataclass(frozen=True, slots=True)
class Retries:
    """What came of one call for many; `next` is None when there are no more."""

    started: Sequence[Generation]
    refused: Sequence[Refusal]
    next: str | None


async def retry(scope: Scope, ports: Ports, document_id: UUID, *, ingestion_id: UUID | None = None) -> Generation:
    """Take up a document whose latest generation, or all that came of its newest upload, failed; twice starts one.

    A retry is a generation of its own, so nothing that is still under way for the failed one (a message, a dead letter,
    a worker) can touch it.

    Args:
        scope: who asks.
        ports: in a transaction.
        document_id: which.
        ingestion_id: the run that it is retried for, though what failed last may have been outside of it.

    Returns:
        The generation that was started; the latest one as it is when that did not fail, for then there is nothing to
        retry: somebody did already, or it is done, or it waits for its file.

    Raises:
        NotFound: no such document, or it or its collection is deleted.
        Conflict: `upload_needed`; no step can be repeated, or repeating it would end the same.
    """
    scope.require(Permission.DOCUMENTS_WRITE)
    document = await ports.documents.lock(scope, document_id)
    if document is None or document.deleted:
        raise NotFound("no such document in this project", code="document_not_found")
    found = concerned(await ports.documents.generations(scope, document.id))
    if found is None:
        raise Conflict("the document has no version yet", code=UPLOAD_NEEDED, hint="upload the file")
    if found.state is not GenerationState.FAILED:
        return found
    return await _take_up(scope, ports, document, found, ingestion_id)


async def retry_failed(scope: Scope, ports: Ports, wanted: FailedFilter, *, cursor: str | None, limit: int) -> Retries:
    """Retry failed documents, newest first, `limit` at the most; send `next` back as `cursor` for the others.

    Raises:
        NotFound: no such collection.
        InvalidCursor: a cursor of another filter.
    """
    scope.require(Permission.DOCUMENTS_WRITE)
    if wanted.collection_id is not None and await ports.collections.get(scope, wanted.collection_id) is None:
        raise NotFound("no such collection in this project", code="collection_not_found")
    listing = fingerprint("failed", scope.project_id, wanted)
    after = decode_cursor(cursor, listing) if cursor else None
    rows = await ports.documents.failed(scope, wanted, after, limit + 1)
    page = page_of(rows, limit, listing, lambda row: After(row.created_at, row.id))
    started: list[Generation] = []
    refused: list[Refusal] = []
    for row in page.items:
        try:
            generation = await retry(scope, ports, row.id)
        except (Conflict, NotFound) as error:
            refused.append(Refusal(row.id, Reason(error.code, error.detail)))
        else:
            if generation.number > row.latest_generation:
                started.append(generation)
    log.info("documents.retried", started=len(started), refused=len(refused))
    return Retries(started, refused, page.next)


async def _take_up(
    scope: Scope, ports: Ports, document: Document, failed: Generation, ingestion_id: UUID | None
) -> Generation:
    # In the index it failed for, unless that is gone.
    collection = await ports.collections.through(scope, document.collection_id, failed.index)
    collection = collection or await collection_of(scope, ports, document)
    state = restart(failed, recipe_of(collection))
    if state is GenerationState.CHUNKING and not await _there(ports, Bucket.WORK, text_key(failed)):
        state = GenerationState.EXTRACTING
    source = failed.source
    if state is GenerationState.EXTRACTING and not await _there(
        ports, Bucket.UPLOADS, source.key, version_id=source.version_id
    ):
        state = None
    if state is None:
        why = failed.failure.detail if failed.failure else "its file is gone"
        raise Conflict(
            f"only a new upload helps: {why}",
            code=UPLOAD_NEEDED,
            hint="upload a corrected file as a new version (POST documents/{id}/versions)",
        )
    run = await run_going_on(scope, ports, failed.ingestion_id or ingestion_id)
    fresh = await begin(scope, ports, document, collection, failed, state, ingestion_id=run)
    if run is not None:
        await tell(scope, ports, run, [])
    return fresh


async def _there(ports: Ports, bucket: Bucket, key: str, *, version_id: str = "") -> bool:
    try:
        await ports.blobs.head(bucket, key, version_id=version_id)
    except NotFound:
        return False
    return True
