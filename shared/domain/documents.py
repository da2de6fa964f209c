"""The life of a document: generations, their states, leases and how each ends.

Every upload or re-process is a new generation of its document. A generation moves forward only through the functions
here, and each returns a new value; storing it is the adapter's part. Times are timezone-aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class GenerationState(StrEnum):
    """Where a generation is. The first two wait for someone else; the next four for the step they name; the others are
    terminal.
    """

    AWAITING_UPLOAD = "awaiting_upload"
    QUEUED = "queued"
    """As many of the tenant's are in progress as may be; its turn comes when one of them is done."""
    EXTRACTING = "extracting"
    CHUNKING = "chunking"
    EMBEDDING = "embedding"
    PUBLISHING = "publishing"
    COMMITTED = "committed"
    UNCHANGED = "unchanged"
    """Byte for byte what is already being served under the same recipe; nothing was redone."""
    SUPERSEDED = "superseded"
    """A newer generation, or a delete, overtook it."""
    FAILED = "failed"


TERMINAL = frozenset(
    {GenerationState.COMMITTED, GenerationState.UNCHANGED, GenerationState.SUPERSEDED, GenerationState.FAILED}
)
IN_PROGRESS = frozenset(
    {GenerationState.EXTRACTING, GenerationState.CHUNKING, GenerationState.EMBEDDING, GenerationState.PUBLISHING}
)
"""States that a stage works on."""


class DocumentStatus(StrEnum):
    """What a person sees. `indexed` stays while a newer generation is on its way or has failed."""

    AWAITING_UPLOAD = "awaiting_upload"
    PROCESSING = "processing"
    INDEXED = "indexed"
    FAILED = "failed"
    DELETING = "deleting"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something ended as it did: a stable code and words for a person."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Source:
    """The uploaded object a generation is made from."""

    key: str
    version_id: str = ""
    sequencer: str = ""
    """S3's order of changes of one key; compare with `newer_sequencer`."""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How much came out of each step."""

    pages: int = 0
    characters: int = 0
    chunks: int = 0
    embedded: int = 0
    """Chunks whose vector was computed for this generation."""
    reused: int = 0
    """Chunks whose vector was known already."""
    tokens: int = 0
    """Of the text embedded for this generation, as the model counts."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the current step has come: pages while a file is read, chunks while it is embedded."""

    done: int
    total: int
    handed: int = 0
    """Where the latest worker that ran out of time stopped; 0: none did."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides the outcome besides the bytes. Equal bytes and equal recipe mean an equal index."""

    reader: str
    chunking: str
    model: str
    pipeline: str = ""

    @property
    def key(self) -> str:
        """One line naming the whole recipe."""
        return f"{self.reader}|{self.chunking}|{self.model}|{self.pipeline}"


@dataclass(frozen=True, slots=True)
class Generation:
    """One upload or re-process of a document."""

    tenant_id: UUID
    project_id: UUID
    document_id: UUID
    number: int
    state: GenerationState
    source: Source
    recipe: Recipe
    created_at: datetime
    entered_at: datetime
    """When the current state began."""
    due_at: datetime | None
    """By when something must have happened; past it the sweep acts. None only in terminal states."""
    lease_owner: str | None = None
    lease_until: datetime | None = None
    attempts: int = 0
    """Failed or abandoned tries of the current step."""
    waiting: str = ""
    """Why it waits (a provider limit, say), in words; empty when it does not."""
    failure: Reason | None = None
    last_error: Reason | None = None
    """What went wrong in the latest try, also when another follows."""
    content_hash: str = ""
    title: str = ""
    language: str = ""
    media_type: str = ""
    """What the reader recognised; these three reach the document when the generation is committed."""
    counts: Counts = field(default_factory=Counts)
    timings: Mapping[str, int] = field(default_factory=dict)
    """Milliseconds spent in each finished step, waiting included."""
    warnings: tuple[str, ...] = ()
    finished_at: datetime | None = None
    text_generation: int | None = None
    """The earlier generation of the same file whose extracted text this one is cut from; None: its own."""
    ingestion_id: UUID | None = None
    """The run it was sent in; once in a run, always in it."""
    progress: Progress | None = None
    """Of the current step, if it is one that takes long."""
    index: UUID | None = None
    """The index it is made for; None: the collection's first."""
    slot: int = 0
    """That index's place on the document."""
    origin: int = 0
    """The generation that brought the upload this one is made from; 0: this one itself."""

    @property
    def upload(self) -> int:
        """Orders generations of a document by what was uploaded, whichever index they are for."""
        return self.origin or self.number

    @property
    def terminal(self) -> bool:
        """True when nothing more will happen to it."""
        return self.state in TERMINAL

    @property
    def step(self) -> str:
        """The state's name as used in messages, metrics and timings."""
        return self.state.value

    def leased(self, now: datetime) -> bool:
        """True while a worker holds it and its deadline has not passed."""
        return self.lease_until is not None and now < self.lease_until


@dataclass(frozen=True, slots=True)
class Document:
    """A document as its owner knows it; its content is in its generations."""

    id: UUID
    tenant_id: UUID
    project_id: UUID
    collection_id: UUID
    name: str
    """The file name people see."""
    created_at: datetime
    updated_at: datetime
    path: str = ""
    """The uploader's own key (a relative path, say): an upload with the same path in the collection is a new
    generation.
    """
    media_type: str = ""
    title: str = ""
    language: str = ""
    size: int = 0
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)
    status: DocumentStatus = DocumentStatus.AWAITING_UPLOAD
    latest_generation: int = 1
    committed_generation: int | None = None
    """In the index that is searched."""
    standby_generation: int | None = None
    """In the other one, if there is one."""
    slot: int = 0
    """The place of the index that is searched."""
    content_hash: str = ""
    """Of the committed generation."""
    duplicate_of: UUID | None = None
    """Another document of the project with the same bytes, if there was one when this one was published."""
    tombstoned_at: datetime | None = None
    swept_at: datetime | None = None
    gone_with: datetime | None = None
    """When the collection, project or tenant it is in was deleted; read with the row, never written with it."""

    @property
    def deleted(self) -> bool:
        """True from the moment a delete was accepted, of itself or of what it is in."""
        return self.tombstoned_at is not None or self.gone_with is not None

    def committed_in(self, slot: int) -> int | None:
        """The generation committed in the index of this place."""
        return self.committed_generation if slot == self.slot else self.standby_generation


def advance(generation: Generation, state: GenerationState, now: datetime, *, due: timedelta | None) -> Generation:
    """Move to `state`, closing the time account of the step that ends and dropping its lease.

    Args:
        generation: as stored.
        state: where it goes.
        now: the moment of the change.
        due: how long the new state may last before the sweep looks; None for terminal states.
    """
    spent = max(0, int((now - generation.entered_at).total_seconds() * 1000))
    timings = {**generation.timings, generation.step: generation.timings.get(generation.step, 0) + spent}
    return replace(
        generation,
        state=state,
        entered_at=now,
        due_at=None if due is None else now + due,
        lease_owner=None,
        lease_until=None,
        attempts=0,
        waiting="",
        progress=None,
        timings=timings,
        finished_at=now if state in TERMINAL else None,
    )


def claim(generation: Generation, owner: str, now: datetime, ttl: timedelta) -> Generation:
    """Give `owner` the lease until `now + ttl`. The caller has checked `leased`."""
    until = now + ttl
    return replace(generation, lease_owner=owner, lease_until=until, due_at=until, waiting="")


def prolong(generation: Generation, now: datetime, ttl: timedelta, progress: Progress | None) -> Generation:
    """Its worker lives: extend the lease to `now + ttl` and note how far it has come."""
    until = now + ttl
    return replace(generation, lease_until=until, due_at=until, progress=progress or generation.progress)


def release(generation: Generation, now: datetime, error: Reason, *, retry_in: timedelta) -> Generation:
    """A try failed and another follows: drop the lease, count the try, remember why."""
    return replace(
        generation,
        lease_owner=None,
        lease_until=None,
        attempts=generation.attempts + 1,
        last_error=error,
        due_at=now + retry_in,
    )


def delay(generation: Generation, now: datetime, wait: timedelta, why: str, *, grace: timedelta) -> Generation:
    """The step must wait: drop the lease, say why, and let the sweep look only after the wait and some grace."""
    return replace(generation, lease_owner=None, lease_until=None, waiting=why, due_at=now + wait + grace)


def fail(generation: Generation, reason: Reason, now: datetime) -> Generation:
    """End it as failed(reason)."""
    return replace(advance(generation, GenerationState.FAILED, now, due=None), failure=reason, last_error=reason)


def status_of(document: Document, latest: Generation | None) -> DocumentStatus:
    """What a person sees, derived from the row and its latest generation."""
    if document.deleted:
        return DocumentStatus.DELETED if document.swept_at else DocumentStatus.DELETING
    if document.committed_generation is not None:
        return DocumentStatus.INDEXED
    if latest is None or latest.state is GenerationState.AWAITING_UPLOAD:
        return DocumentStatus.AWAITING_UPLOAD
    if latest.state is GenerationState.FAILED:
        return DocumentStatus.FAILED
    return DocumentStatus.PROCESSING


def newer_sequencer(candidate: str, known: str) -> bool:
    """True when `candidate` was issued after `known` for the same key.

    S3 documents sequencers as hexadecimal of varying length: the shorter is padded on the right with zeros, then both
    are compared as text.
    """
    width = max(len(candidate), len(known))
    return candidate.upper().ljust(width, "0") > known.upper().ljust(width, "0")


def upload_key(tenant_id: UUID, document_id: UUID, generation: int) -> str:
    """The object key of an upload: ids only, never a user's text."""
    return f"{tenant_id}/{document_id}/{generation}"


def parse_upload_key(key: str) -> tuple[UUID, UUID, int] | None:
    """Read an upload key; None when it is none of ours."""
    parts = key.split("/")
    if len(parts) != 3:
        return None
    try:
        named = UUID(parts[0]), UUID(parts[1]), int(parts[2])
    except ValueError:
        return None
    # Only the spelling that `upload_key` gives: UUID and int accept others.
    return named if upload_key(*named) == key else None


EXTRACTED_PREFIX = "extracted/"

PARTS_PREFIX = "parts/"

WORK_PREFIXES = (EXTRACTED_PREFIX, PARTS_PREFIX)
"""Folders of the work bucket, each with a folder for every tenant and in it one for every document."""


def extracted_key(tenant_id: UUID, document_id: UUID, generation: int) -> str:
    """The work-bucket key of a generation's extracted text."""
    return f"{EXTRACTED_PREFIX}{upload_key(tenant_id, document_id, generation)}.json"


def text_key(generation: Generation) -> str:
    """The work-bucket key of the text that a generation is cut from."""
    number = generation.text_generation or generation.number
    return extracted_key(generation.tenant_id, generation.document_id, number)


def parse_extracted_key(key: str) -> tuple[UUID, UUID, int] | None:
    """Read an extracted-text key; None when it is none of ours."""
    if not (key.startswith(EXTRACTED_PREFIX) and key.endswith(".json")):
        return None
    return parse_upload_key(key.removeprefix(EXTRACTED_PREFIX).removesuffix(".json"))
