"""What must be true after every single commit."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.adapters.memory.clock import START
from shared.adapters.memory.rows_transaction import Tables
from shared.domain.documents import TERMINAL, Document, Generation, GenerationState
from shared.domain.indexes import IndexState
from shared.domain.ingestions import CANCELLED
from shared.domain.webhooks import DeliveryState
from tests.simulation.contents import CHUNKINGS, pieces
from tests.simulation.ledger import Ledger
from tests.simulation.model import Model
from tests.simulation.processes import Process
from tests.simulation.runs import completed
from tests.simulation.sight import Sight, short, written

KEPT = ("documents", "generations", "chunks", "cache", "collections", "ingestions")
RANK = {
    GenerationState.AWAITING_UPLOAD: 0,
    GenerationState.QUEUED: 1,
    GenerationState.EXTRACTING: 2,
    GenerationState.CHUNKING: 3,
    GenerationState.EMBEDDING: 4,
    GenerationState.PUBLISHING: 5,
}


class Watch:
    """Implements `tests.simulation.database.Witness` by the invariants that hold at every moment."""

    def __init__(self, model: Model, now: Callable[[], float]) -> None:
        self.model = model
        self.now = now
        self.sight = Sight(Tables())
        self.ledger = Ledger(self.sight)
        self.violations: list[str] = []
        self.restless: dict[tuple[Any, ...], float] = {}
        """What has not come to its end, and since when it has been its turn: generations, deletions, deliveries."""
        self.commits = 0
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
            for table in KEPT
            if table in changes
        }

    def after(self, process: Process, changes: Any, seen: dict[str, Any], began: int) -> None:
        """Check what was written against what was there."""
        self.commits += 1
        for _, _, webhook in written(changes, "webhooks"):
            self.sight.since.setdefault(webhook.id, self.commits)
        if self.trace is not None:
            self._tell(process, changes)
        for problem in self._problems(process, changes, seen, began):
            self.violations.append(f"{problem} [{process.function}#{process.number}]")
        self.ledger.stored(process, changes, self.commits)

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

    def _problems(self, process: Process, changes: Any, seen: dict[str, Any], began: int) -> Iterator[str]:
        for tenant, key, row in written(changes, "generations"):
            old = seen["generations"][tenant, *key]
            yield from self._generation(tenant, key, old, row)
            if row is not None and row.lease_owner and row.lease_owner != (old and old.lease_owner):
                process.holds, process.took_at = (tenant, *key), self.commits
        for tenant, key, row in written(changes, "documents"):
            yield from self._document(tenant, key, seen["documents"][tenant, *key], row)
        for tenant, key, row in written(changes, "chunks"):
            yield from self._chunks(tenant, key, seen["chunks"][tenant, *key], row)
        if "cache" in changes:
            yield from self._billing(changes, seen)
        if "collections" in changes:
            yield from self._cuts(changes, seen)
        if "ingestions" in changes:
            yield from completed(self.sight, changes, seen["ingestions"], began)
        for tenant, key, row in written(changes, "webhook_deliveries"):
            self._rests(("delivery", tenant, *key), row.state is not DeliveryState.PENDING)
        for tenant, key, row in written(changes, "receipts"):
            self._rests(("erasure", tenant, *key), row.due_at is None)

    def _rests(self, item: tuple[Any, ...], done: bool) -> None:
        if done:
            self.restless.pop(item, None)
        else:
            self.restless.setdefault(item, self.now())

    def _generation(
        self, tenant: UUID, key: tuple[Any, ...], old: Generation | None, new: Generation | None
    ) -> Iterator[str]:
        name = f"generation {key[1]} of {short(key[0])}"
        item = ("generation", tenant, *key)
        if new is None:
            self.restless.pop(item, None)
            return
        if old is not None and old.state is GenerationState.QUEUED:
            # Its time counts from when its turn has come.
            self.restless.pop(item, None)
        self._rests(item, new.terminal)
        if new.terminal and (new.due_at is not None or new.lease_until is not None):
            yield f"{name} is {new.state.value} and still has a deadline"
        if not new.terminal and new.due_at is None:
            yield f"{name} is {new.state.value} and nobody looks after it"
        if old is None:
            yield from self._begun(tenant, new)
            return
        if old.state in TERMINAL and new.state is not old.state:
            yield f"{name} was {old.state.value} and became {new.state.value}"
        elif new.state not in TERMINAL and old.state not in TERMINAL and RANK[new.state] < RANK[old.state]:
            yield f"{name} went back from {old.state.value} to {new.state.value}"
        # What comes in after a run was cancelled is kept with its version, for whoever has that processed again.
        cancelled = new.failure is not None and new.failure.code == CANCELLED
        if old.source.version_id and old.source.version_id != new.source.version_id and not cancelled:
            yield f"{name} changed its source"

    def _begun(self, tenant: UUID, new: Generation) -> Iterator[str]:
        """Of one upload, one generation at a time is made for one index."""
        for _, key, one in self.sight.table("generations"):
            beside = key[0] == new.document_id and key[1] != new.number and not one.terminal and new.origin
            if beside and (one.upload, one.index) == (new.upload, new.index):
                yield f"generation {new.number} of {short(new.document_id)} is begun beside {one.number}"

    def _document(
        self, tenant: UUID, key: tuple[Any, ...], old: Document | None, new: Document | None
    ) -> Iterator[str]:
        name = f"document {short(key[0])}"
        item = ("deletion", tenant, *key)
        if new is None:
            self.restless.pop(item, None)
            return
        self._rests(item, new.tombstoned_at is None or new.swept_at is not None)
        if old is None:
            return
        if old.tombstoned_at and not new.tombstoned_at:
            yield f"{name} lost its tombstone"
        for slot in (0, 1):
            before, after = old.committed_in(slot), new.committed_in(slot)
            if before == after:
                continue
            if new.deleted and after is not None:
                yield f"{name} was published after it was deleted"
            elif after is None or (before is not None and after < before):
                generation = self.sight.generation(tenant, new.id, before or 0)
                index = self.sight.index(generation) if generation else None
                if after is not None or index is None or index.state is not IndexState.DROPPING:
                    yield f"{name} went back from generation {before} to {after}"
            elif not new.deleted:
                yield from self._committed(tenant, new, after)
                yield from self._held(new, slot, after)

    def _held(self, document: Document, slot: int, number: int) -> Iterator[str]:
        """While a cut is near, nothing is published into what is searched."""
        collection = self.sight.collection(document.tenant_id, document.collection_id)
        until = self.sight.row("holds", document.tenant_id, document.collection_id)
        held = until is not None and START + timedelta(seconds=self.now()) < until
        if held and collection is not None and collection.slot == slot:
            yield f"generation {number} of {short(document.id)} was published while a cut was waited for"

    def _cuts(self, changes: Any, seen: dict[str, Any]) -> Iterator[str]:
        """A cut from one index to the other shows of no document an older upload than was shown before."""
        for tenant, key, new in written(changes, "collections"):
            old = seen["collections"][tenant, *key]
            if new is None or old is None or new.slot == old.slot:
                continue
            for _, _, row in self.sight.table("documents"):
                if row.collection_id != new.id or row.tombstoned_at is not None:
                    continue
                was, now = (self._shown(row, one.slot) for one in (old, new))
                if was is not None and (now is None or now.upload < was.upload) and self._body(was) != self._body(now):
                    yield f"a cut shows document {short(row.id)} by {now and now.number}, not {was.number}"

    def _shown(self, document: Document, slot: int) -> Generation | None:
        return self.sight.generation(document.tenant_id, document.id, document.committed_in(slot) or 0)

    def _body(self, generation: Generation | None) -> bytes | None:
        upload = self.model.uploads.get(generation.source.version_id) if generation else None
        return upload.body if upload else None

    def _committed(self, tenant: UUID, document: Document, number: int) -> Iterator[str]:
        """What is searched from now on is whole, and all of it comes from one upload."""
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
        served = (document.committed_generation, document.standby_generation)
        if not document.deleted and key[1] in served and old is not None and new != old:
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
