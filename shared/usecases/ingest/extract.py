"""Read one upload and leave its text in the work bucket. Talks to nothing but the object store."""

import asyncio
import tempfile
from pathlib import Path

import structlog

from shared.domain.documents import Reason, extracted_key
from shared.domain.errors import NotFound, Rejected
from shared.domain.events import ExtractMessage
from shared.domain.extracted import Extracted
from shared.domain.extraction import write_extraction
from shared.ports.blobs import Bucket
from shared.ports.ports import Powers

log = structlog.get_logger()

UPLOAD_MISSING = Reason("upload_missing", "the uploaded file is gone from the object store; upload it again")


async def extract(powers: Powers, message: ExtractMessage) -> None:
    """Write the text, or the reason why there is none; doing it twice writes the same.

    Raises:
        Unavailable: the object store or the reader failed for a reason outside the file.
    """
    started = powers.clock.monotonic()
    outcome = await _outcome(powers, message)
    key = extracted_key(message.tenant_id, message.document_id, message.generation)
    await powers.blobs.put(Bucket.WORK, key, write_extraction(outcome), content_type="application/json")
    spent = (powers.clock.monotonic() - started) * 1000
    if isinstance(outcome, Extracted):
        log.info("document.extracted", characters=len(outcome.text), pages=len(outcome.pages), ms=round(spent, 1))
    else:
        log.info("document.unreadable", code=outcome.code, reason=outcome.detail, ms=round(spent, 1))


async def _outcome(powers: Powers, message: ExtractMessage) -> Extracted | Reason:
    try:
        body = await powers.blobs.get(Bucket.UPLOADS, message.key, version_id=message.version_id)
    except NotFound:
        return UPLOAD_MISSING
    with tempfile.TemporaryDirectory(prefix="lambent-") as folder:
        source = Path(folder) / "upload"
        source.write_bytes(body)
        del body
        try:
            return await asyncio.to_thread(
                powers.reader.read, source, name=message.name, declared_type=message.media_type
            )
        except Rejected as error:
            return Reason(error.code, error.detail)
