"""What must be true after every single commit."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from shared.adapters.memory.rows_transaction import Tables
from shared.domain.documents import TERMINAL, Document, Generation, GenerationState
from tests.simulation.contents import CHUNKINGS, pieces
from tests.simulation.ledger import Ledger
from tests.simulation.model import Model
from tests.simulation.processes import Process
from tests.simulation.sight import Sight, written

RANK = {
    GenerationState.AWAITING_UPLOAD: 0,
    GenerationState.QUEUED: 1,
    GenerationState.EXTRACTING: 1,
    GenerationState.CHUNKING: 2,
    GenerationState.EMBEDDING: 3,
    GenerationState.PUBLISHING: 4,
}


class Watch:
    """Implements `tests.simulation.database.Witness` by the invariants that hold at every moment."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.sight = Sight(Tables())
        self.ledger = Ledger(self.sight)
        self.violations: list[str] = []
        self.restless: set[tuple[Any, ...]] = set()
        """Generations that have not ended and deletions that are not complete."""
        self.trace: list[str] | None = None
        self.remote: Any = None
        """The vector store outside the database, if there is one."""

    def look_at(self, tables: Tables) -> None:
        """The database to watch."""
        self.sight = Sight(tables)
        self.ledger = Ledger(self.sight)

    def before(self, process: Process, changes: Any) -> dict[str, Any]:
        """Keep what is about to be overwritten."""
        sight = self.sight
        return {
            table: {(tenant, *key): sight.row(table, tenant, *key) for tenant, key, _ in written(changes, table)}
            for table in ("documents", "generations", "chunks", "cache")
            if table in changes
        }

    def after(self, process: Process, changes: Any, seen: dict[str, Any]) -> None:
        """Check what was written against what was there."""
        if self.trace is not None:
            self._tell(process, changes)
        for problem in self._problems(process, changes, seen):
            self.violations.append(f"{problem} [{process.function}#{process.number}]")
        self.ledger.stored(process, changes)

    def _tell(self, process: Process, changes: Any) -> None:
        """Write down what became of documents, for whoever replays the history."""
        assert self.trace is not None
        head = f"{'':9s} {process.number:4d}   "
        for _, key, one in written(changes, "generations"):
            if one is not None:
                lease, failure = (one.lease_owner or "-")[-4:], one.failure.code if one.failure else ""
                words = f"attempts {one.attempts} lease {lease} due {one.due_at:%H:%M:%S}" if one.due_at else failure
                self.trace.append(f"{head}generation {short(key[0])}/{key[1]} {one.state.value} {words}")
        for _, key, row in written(changes, "documents"):
            if row is not None:
                end = " deleted" * bool(row.tombstoned_at) + " swept" * bool(row.swept_at)
                self.trace.append(f"{head}document {short(key[0])} serves {row.committed_generation}{end}")
        for _, key, row in written(changes, "chunks"):
            self.trace.append(f"{head}chunks {short(key[0])}/{key[1]}: {len(row or ())}")

    def _problems(self, process: Process, changes: Any, seen: dict[str, Any]) -> Iterator[str]:
        for tenant, key, row in written(changes, "generations"):
            old = seen["generations"][tenant, *key]
            yield from self._generation(tenant, key, old, row)
            if row is not None and row.lease_owner and row.lease_owner != (old and old.lease_owner):
                process.holds = (tenant, *key)
        for tenant, key, row in written(changes, "documents"):
            yield from self._document(tenant, key, seen["documents"][tenant, *key], row)
        for tenant, key, row in written(changes, "chunks"):
            yield from self._chunks(tenant, key, seen["chunks"][tenant, *key], row)
        if "cache" in changes:
            yield from self._billing(changes, seen)

    def _generation(
        self, tenant: UUID, key: tuple[Any, ...], old: Generation | None, new: Generation | None
    ) -> Iterator[str]:
        name = f"generation {key[1]} of {short(key[0])}"
        item = ("generation", tenant, *key)
        if new is None:
            self.restless.discard(item)
            return
        if new.terminal:
            self.restless.discard(item)
            if new.due_at is not None or new.lease_until is not None:
                yield f"{name} is {new.state.value} and still has a deadline"
        else:
            self.restless.add(item)
            if new.due_at is None:
                yield f"{name} is {new.state.value} and nobody looks after it"
        if old is None:
            return
        if old.state in TERMINAL and new.state is not old.state:
            yield f"{name} was {old.state.value} and became {new.state.value}"
        elif new.state not in TERMINAL and old.state not in TERMINAL and RANK[new.state] < RANK[old.state]:
            yield f"{name} went back from {old.state.value} to {new.state.value}"
        if old.source.version_id and old.source.version_id != new.source.version_id:
            yield f"{name} changed its source"

    def _document(
        self, tenant: UUID, key: tuple[Any, ...], old: Document | None, new: Document | None
    ) -> Iterator[str]:
        name = f"document {short(key[0])}"
        item = ("deletion", tenant, *key)
        if new is None:
            self.restless.discard(item)
            return
        if new.deleted and new.swept_at is None:
            self.restless.add(item)
        else:
            self.restless.discard(item)
        if old is None:
            return
        if old.deleted and not new.deleted:
            yield f"{name} lost its tombstone"
        before, after = old.committed_generation, new.committed_generation
        if before != after:
            if new.deleted:
                yield f"{name} was published after it was deleted"
            if after is None or (before is not None and after < before):
                yield f"{name} went back from generation {before} to {after}"
        if after is not None and before != after and not new.deleted:
            yield from self._committed(tenant, new)

    def _committed(self, tenant: UUID, document: Document) -> Iterator[str]:
        """What is searched from now on is whole, and all of it comes from one upload."""
        number = document.committed_generation or 0
        name = f"generation {number} of {short(document.id)}"
        generation = self.sight.generation(tenant, document.id, number)
        if generation is None or generation.state is not GenerationState.COMMITTED:
            yield f"{name} is served and its row says {generation and generation.state.value}"
            return
        chunks = self.sight.chunks(tenant, document.id, number)
        texts = tuple(chunk.text for chunk in chunks.values())
        upload = self.model.uploads.get(generation.source.version_id)
        if upload is None or texts not in [pieces(upload.body, chunking) for chunking in CHUNKINGS]:
            yield f"{name} is served with chunks that are not those of its upload"
        if len(self.sight.words(tenant, document.id, number)) != len(chunks):
            yield f"{name} is served without all its words"
        if self.remote is None:
            vectors = self.sight.vectors(tenant, document.id, number)
            ordinals = set(vectors)
        else:
            ordinals = {
                id.ordinal
                for _, _, id in self.remote.held()
                if (id.document_id, id.generation) == (document.id, number)
            }
        if ordinals != set(chunks):
            yield f"{name} is served with {len(ordinals)} vectors for {len(chunks)} chunks"
        if self.sight.row("counted", tenant, document.id, number) is None:
            yield f"{name} is served and its words are not counted"

    def _chunks(self, tenant: UUID, key: tuple[Any, ...], old: Any, new: Any) -> Iterator[str]:
        document = self.sight.document(tenant, key[0])
        if document is None:
            return
        if not document.deleted and document.committed_generation == key[1] and old is not None and new != old:
            yield f"the chunks of {short(key[0])} changed while generation {key[1]} is served"
        generation = self.sight.generation(tenant, *key)
        upload = self.model.uploads.get(generation.source.version_id) if generation else None
        if new and upload:
            text = upload.body.decode(errors="replace")
            if not all(chunk.text in text for chunk in new.values()):
                yield f"generation {key[1]} of {short(key[0])} was cut from another upload than its own"

    def _billing(self, changes: Any, seen: dict[str, Any]) -> Iterator[str]:
        fresh = sum(
            row is not None and seen["cache"][tenant, *key] is None for tenant, key, row in written(changes, "cache")
        )
        counted = 0
        for tenant, key, row in written(changes, "generations"):
            old = seen["generations"][tenant, *key]
            counted += row.counts.embedded - (old.counts.embedded if old else 0)
        if fresh != counted:
            yield f"{fresh} texts were embedded and {counted} are counted"


def short(id: UUID) -> str:
    """Enough of an id to tell it from others."""
    return str(id)[-6:]
