"""A document's state in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.documents import Document, DocumentStatus, Generation, GenerationState, status_of
from shared.domain.ingestion import MAX_ATTEMPTS, UPLOAD_LIFE
from shared.domain.receipts import DeletionReceipt
from shared.domain.remedies import HELP
from shared.domain.retrying import KEPT, concerned, restart

DOING = {
    GenerationState.AWAITING_UPLOAD: "waiting for its file to be uploaded",
    GenerationState.QUEUED: "waiting for its turn behind other documents of the organisation",
    GenerationState.EXTRACTING: "being read",
    GenerationState.CHUNKING: "being cut into chunks",
    GenerationState.EMBEDDING: "being embedded",
    GenerationState.PUBLISHING: "being published",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One generation's story in a line."""

    version: int
    state: str
    since: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a document is and why."""

    status: DocumentStatus
    summary: str
    since: datetime
    next: str
    retryable: bool
    """Whether a retry can help: the generation it is about failed, and one of its steps can be repeated."""
    history: tuple[Attempt, ...]
    """Newest version first."""


def explain(
    document: Document, generations: Sequence[Generation], receipt: DeletionReceipt | None, now: datetime
) -> Explanation:
    """Tell a document's story.

    Args:
        document: the row.
        generations: all of them, newest first.
        receipt: of its deletion, if it was deleted.
        now: the moment of asking.
    """
    history = tuple(Attempt(one.number, one.state.value, one.entered_at, _words(one, now)) for one in generations)
    if document.deleted:
        return _deleted(document, receipt, history)
    latest = generations[0] if generations else None
    summary, upcoming = _summary(document, latest, now)
    since = latest.entered_at if latest else document.created_at
    found = concerned(generations)
    if found is not None and found is not latest and found.state is GenerationState.FAILED:
        words = f"version {found.number}: {_words(found, now)}"
        summary, upcoming = f"{summary}; {words}", _remedy(document, found, now)
    retryable = found is not None and found.state is GenerationState.FAILED and _restart(found) is not None
    return Explanation(document.status, summary, since, upcoming, retryable, history)


def _deleted(document: Document, receipt: DeletionReceipt | None, history: tuple[Attempt, ...]) -> Explanation:
    since = document.tombstoned_at or document.gone_with or document.updated_at
    status = status_of(document, None)
    if receipt is not None and receipt.complete:
        removed = (
            ", ".join(f"{count} {store}" for store, count in sorted(receipt.removed.items()) if count) or "nothing"
        )
        return Explanation(
            status,
            f"deleted; removed: {removed}; nothing is left in any store",
            since,
            "nothing more happens",
            False,
            history,
        )
    left = "" if receipt is None or not receipt.remaining else f" (left at the last count: {dict(receipt.remaining)})"
    return Explanation(
        status,
        f"deleted and no longer searchable; its traces are being removed{left}",
        since,
        "the sweep removes what is left within a minute and completes the receipt",
        False,
        history,
    )


def _summary(document: Document, latest: Generation | None, now: datetime) -> tuple[str, str]:
    serving = document.committed_generation
    if latest is None:
        return "has no version yet", "upload a file"
    if serving == latest.number:
        return (
            f"indexed: version {serving} is searchable with {latest.counts.chunks} chunks",
            "nothing more happens until it is uploaded again",
        )
    words, upcoming = _words(latest, now), _upcoming(document, latest, now)
    if serving is None:
        return words, upcoming
    return f"version {serving} is searchable; version {latest.number}: {words}", upcoming


def _words(one: Generation, now: datetime) -> str:
    if one.state is GenerationState.FAILED:
        return f"failed: {one.failure.detail if one.failure else 'no reason was recorded'}"
    if one.state is GenerationState.COMMITTED:
        counts = one.counts
        return f"published with {counts.chunks} chunks ({counts.embedded} embedded, {counts.reused} reused)"
    if one.state is GenerationState.UNCHANGED:
        return "the file is byte for byte the version being served; nothing was redone"
    if one.state is GenerationState.SUPERSEDED:
        return "overtaken by a newer version or a delete"
    words = f"{DOING[one.state]} for {_span(now - one.entered_at)}"
    if one.progress:
        unit = "page" if one.state is GenerationState.EXTRACTING else "chunk"
        words += f": {unit} {one.progress.done:,} of {one.progress.total:,}"
    if one.waiting:
        words += f"; waiting: {one.waiting}"
    if one.attempts and one.last_error:
        words += f"; {one.attempts} of {MAX_ATTEMPTS} tries failed, the last with: {one.last_error.detail}"
    return words


def _upcoming(document: Document, one: Generation, now: datetime) -> str:
    if one.state is GenerationState.FAILED:
        return _remedy(document, one, now)
    if one.terminal:
        return "nothing more happens to this version"
    if one.state is GenerationState.AWAITING_UPLOAD:
        return f"if no file arrives it ends as failed {_when(one.entered_at + UPLOAD_LIFE, now)}"
    if one.state is GenerationState.QUEUED:
        return "it starts when one of the organisation's documents in progress is done"
    if one.leased(now):
        return f"a worker is on it; if it does not finish it is tried again {_when(one.lease_until, now)}"
    return f"it is in the queue; if nobody takes it, it is queued again {_when(one.due_at, now)}"


def _remedy(document: Document, failed: Generation, now: datetime) -> str:
    code = failed.failure.code if failed.failure else ""
    first, state = f"{HELP[code]}; " if code in HELP else "", _restart(failed)
    if state is GenerationState.CHUNKING:
        kept = "its text is kept, so it goes on with chunking"
        return f"{first}retry it: {kept}; {_vectors(document, failed, now)}"
    if state is GenerationState.EXTRACTING:
        return f"{first}retry it: it is read again from the uploaded file"
    if not failed.source.version_id:
        return f"{first}ask for a new upload and send the file; a retry has nothing to begin with"
    return f"{first or 'upload a corrected file as a new version; '}a retry would end the same"


def _vectors(document: Document, failed: Generation, now: datetime) -> str:
    until = (failed.finished_at or now) + KEPT
    if document.committed_generation is None:
        return "what was embedded is not paid for again"
    if now < until:
        return f"what was embedded is not paid for again within {_span(until - now)}"
    return "what was embedded may have been removed since and is paid for again"


def _restart(failed: Generation) -> GenerationState | None:
    return restart(failed, failed.recipe)


def _when(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "soon"
    return f"in {_span(at - now)}" if at > now else "within a minute"


def _span(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
