"""Read one upload and leave its text in the work bucket. Talks to nothing but the object store.

A long file is read in parts, each left in the work bucket as soon as it is there. Whoever comes next, after a worker
that died or ran out of time, goes on behind the last one.
"""

import asyncio
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from shared.domain.documents import Reason, extracted_key, parse_upload_key
from shared.domain.errors import NotFound, Rejected, Unavailable
from shared.domain.events import ExtractMessage
from shared.domain.extracted import Extracted
from shared.domain.extraction import write_extraction
from shared.domain.ingestion import READER_VERSION
from shared.domain.parts import (
    Checkpoint,
    Part,
    checkpoint_key,
    next_key,
    part_key,
    parts_prefix,
    read_checkpoint,
    write_checkpoint,
)
from shared.ports.blobs import FORBIDDEN, Bucket
from shared.ports.ports import Powers

log = structlog.get_logger()

UPLOAD_MISSING = Reason("upload_missing", "the uploaded file is gone from the object store; upload it again")
HAND_OVER_SECONDS = 100.0
"""With less than this left nothing more is begun: one more part may take a minute and has to be stored."""
READING_SECONDS = 1_800.0
"""What the parts of one file may take together."""
LONG_BYTES = 65_536
"""Smaller files are read at once, so nobody looks for parts of them."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One file on this machine, and where its parts go."""

    powers: Powers
    message: ExtractMessage
    source: Path
    seconds_left: Callable[[], float]

    @property
    def prefix(self) -> str:
        return parts_prefix(self.message.tenant_id, self.message.document_id, self.message.generation)


async def extract(
    powers: Powers, message: ExtractMessage, seconds_left: Callable[[], float] = lambda: math.inf
) -> None:
    """Write the text, or the reason why there is none, or how far it has come; doing it twice writes the same.

    Args:
        powers: the object store and the reader.
        message: which file.
        seconds_left: until the platform ends this process.

    Raises:
        Unavailable: the object store or the reader failed for a reason outside the file.
    """
    if not _of_its_document(message):
        log.warning("document.foreign_upload", key=message.key)
        return
    started = powers.clock.monotonic()
    outcome = await _outcome(powers, message, seconds_left)
    spent = round((powers.clock.monotonic() - started) * 1000, 1)
    if isinstance(outcome, Checkpoint):
        log.info("document.handed_over", pages=outcome.done, of=outcome.total, ms=spent)
        return
    key = extracted_key(message.tenant_id, message.document_id, message.generation)
    await powers.blobs.put(Bucket.WORK, key, write_extraction(outcome), content_type="application/json")
    if isinstance(outcome, Extracted):
        log.info("document.extracted", characters=len(outcome.text), pages=len(outcome.pages), ms=spent)
    else:
        log.info("document.unreadable", code=outcome.code, reason=outcome.detail, ms=spent)


def _of_its_document(message: ExtractMessage) -> bool:
    """Whether the file is the document's that the message names.

    One document's file never becomes another's text, whoever wrote the message: no policy of a database stands between.
    """
    named = parse_upload_key(message.key)
    return named is not None and named[:2] == (message.tenant_id, message.document_id)


async def _outcome(
    powers: Powers, message: ExtractMessage, seconds_left: Callable[[], float]
) -> Extracted | Reason | Checkpoint:
    try:
        body = await powers.blobs.get(Bucket.UPLOADS, message.key, version_id=message.version_id)
    except NotFound:
        return UPLOAD_MISSING
    with tempfile.TemporaryDirectory(prefix="lambent-") as folder:
        source = Path(folder) / "upload"
        source.write_bytes(body)
        long = len(body) > LONG_BYTES
        del body
        job = _Job(powers, message, source, seconds_left)
        try:
            return await _read(job, await _checkpoint(job) if long else None)
        except Rejected as error:
            return Reason(error.code, error.detail)


async def _read(job: _Job, checkpoint: Checkpoint | None) -> Extracted | Checkpoint:
    """Read on until there is a text, or no time for more."""
    about = {"name": job.message.name, "declared_type": job.message.media_type}
    while checkpoint is None or not checkpoint.complete:
        after, characters = (checkpoint.done, checkpoint.characters) if checkpoint else (0, 0)
        began = job.powers.clock.monotonic()
        read = await asyncio.to_thread(
            job.powers.reader.read_on, job.source, **about, after=after, characters=characters
        )
        if isinstance(read, Extracted):
            return read
        checkpoint = await _keep(job, checkpoint, read, job.powers.clock.monotonic() - began)
        if job.seconds_left() < HAND_OVER_SECONDS:
            note = next_key(job.prefix, checkpoint.done, checkpoint.total)
            await job.powers.blobs.put(Bucket.WORK, note, b"", content_type="text/plain")
            return checkpoint
    keys = [part_key(job.prefix, first, last, checkpoint.total) for first, last in checkpoint.ranges]
    parts = await asyncio.gather(*(job.powers.blobs.get(Bucket.WORK, key) for key in keys))
    return await asyncio.to_thread(job.powers.reader.assemble, job.source, **about, parts=parts)


async def _keep(job: _Job, before: Checkpoint | None, part: Part, seconds: float) -> Checkpoint:
    """Store a part, then that it is there.

    Raises:
        Rejected: the file has taken more time than any file may.
    """
    if before is not None and before.total != part.total:
        raise Rejected("the file has another number of pages each time it is read", code="corrupt_file")
    begun = before or Checkpoint(READER_VERSION, part.total, 0, 0.0, ())
    checkpoint = begun.after(part, seconds)
    if checkpoint.seconds > READING_SECONDS:
        raise Rejected(
            f"reading the file took more than {READING_SECONDS / 60:.0f} minutes; split it", code="parser_timeout"
        )
    key = part_key(job.prefix, part.first, part.last, part.total)
    await job.powers.blobs.put(Bucket.WORK, key, part.body, content_type="application/json")
    body = write_checkpoint(checkpoint)
    await job.powers.blobs.put(Bucket.WORK, checkpoint_key(job.prefix), body, content_type="application/json")
    log.info("document.part_read", pages=checkpoint.done, of=checkpoint.total, seconds=checkpoint.seconds)
    return checkpoint


async def _checkpoint(job: _Job) -> Checkpoint | None:
    """How far workers before this one came; None when there were none, or what they left is another reader's."""
    try:
        body = await job.powers.blobs.get(Bucket.WORK, checkpoint_key(job.prefix))
    except NotFound:
        return None
    except Unavailable as error:
        # Who may not list a bucket is told "forbidden" instead of "missing". If it is, beginning again is right too.
        if error.code != FORBIDDEN:
            raise
        return None
    found = read_checkpoint(body)
    return found if found is not None and found.reader == READER_VERSION else None
