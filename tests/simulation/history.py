"""One history: a deployment, its users, its faults, from the first upload until everything has come to rest."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from shared import bootstrap
from shared.adapters.memory.analyser import MemoryAnalyser
from shared.adapters.memory.clock import START, SequenceIds
from shared.adapters.structlog import traced
from shared.domain.chunks import Chunking
from shared.domain.ingestion import Pace
from shared.domain.tenants import Project
from shared.runtime import invocation
from shared.usecases.collections import manage
from shared.usecases.ingest import extract
from shared.usecases.projects.bootstrap import founding_scope
from tests.simulation import contents
from tests.simulation.clients import Clients, Tenant
from tests.simulation.cloud import Cloud
from tests.simulation.database import REVISION, SimulatedStore
from tests.simulation.disk import Folder
from tests.simulation.endpoint import KEY, Endpoint
from tests.simulation.faults import Faults
from tests.simulation.ledger import Payment
from tests.simulation.loop import SeededLoop
from tests.simulation.model import Model
from tests.simulation.owners import PROJECT, TENANT
from tests.simulation.powers import (
    LaggingVectors,
    LineReader,
    NotifyingBlobs,
    PaidEmbedder,
    PowerGuard,
    SilentMeter,
    SimulatedQueue,
    SkewedClock,
    TrueClock,
    storms,
)
from tests.simulation.processes import PROCESS, Gate, Process
from tests.simulation.schedules import Schedules
from tests.simulation.sight import short
from tests.simulation.verdict import verdict
from tests.simulation.watching import watched
from tests.simulation.witness import Watch

LONG_BYTES = 64
"""So that files of a few paragraphs may be read in parts."""
MOST_TURNS = 20_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a history."""

    seed: int
    violations: tuple[str, ...]
    fired: Counter[str]
    visits: Counter[str]
    crashes: Counter[str]
    turns: int
    seconds: float
    """Virtual."""
    texts: int
    again: Counter[str] = field(default_factory=Counter)
    trace: tuple[str, ...] = ()


class History:
    """Everything one seed decides."""

    def __init__(
        self,
        seed: int,
        crash_at: str | None = None,
        *,
        emphasis: Sequence[str] = (),
        cast: Sequence[str] = (),
        told: bool = False,
    ) -> None:
        """Args:
        seed: decides everything.
        crash_at: a point to crash at for certain.
        emphasis: kinds of faults that strike often, and nearly alone.
        cast: who takes part for certain.
        told: write down what happens.
        """
        self.seed = seed
        self.cast = cast
        self.chance = random.Random(seed)
        random.seed(seed)
        self.start = START
        self.chunkings = contents.CHUNKINGS
        kind: Any = SeededLoop
        self.loop: SeededLoop = kind(self.chance)
        self.faults = Faults.drawn(self.chance, emphasis)
        self.gate = Gate(self.loop, self.faults, crash_at)
        self.gate.trace = [] if told else None
        self.model = Model()
        self.watch = Watch(self.model, self.loop.time)
        self.watch.trace = self.faults.trace = self.gate.trace
        self.store = SimulatedStore(self.gate, self.watch, TrueClock(self.loop).now)
        self.watch.look_at(self.store.tables)
        self.cloud = Cloud(self.gate)
        self.cloud.ended.append(self.watch.ledger.ended)
        self.blobs = NotifyingBlobs(self.loop, self.cloud.notify, self._gone)
        self.remote = LaggingVectors(self.loop, self.faults) if self.chance.random() < 0.5 else None
        self.watch.remote = self.remote
        self.clients: Clients | None = None
        self.endpoint = Endpoint(self.gate)
        self.rounds = self.chance.choice((0, 2))
        self.compared = False
        """Rows and stores have been, or are being compared."""

    def run(self) -> Outcome:
        """Live through it."""
        asyncio._set_running_loop(self.loop)
        before = invocation._loop, traced.store, traced.model
        invocation._loop = lambda: self.loop  # type: ignore[assignment]
        extract.LONG_BYTES = LONG_BYTES
        extract.tempfile = SimpleNamespace(TemporaryDirectory=Folder)  # type: ignore[assignment, attr-defined]
        traced.store = traced.model = _untraced
        try:
            with bootstrap.override(**self._parts()):
                self._live()
        finally:
            self.gate.over = True
            invocation._loop, traced.store, traced.model = before
            asyncio._set_running_loop(None)
        return Outcome(
            seed=self.seed,
            violations=tuple(self.watch.violations),
            fired=self.faults.fired,
            visits=self.gate.visits,
            crashes=self.gate.crashes,
            turns=self.loop.turns,
            seconds=self.loop.time(),
            texts=self.watch.ledger.texts,
            again=self.watch.ledger.again,
            trace=tuple(self.gate.trace or ()),
        )

    def _parts(self) -> dict[str, object]:
        guard = PowerGuard(self.gate)
        embedder = PaidEmbedder(self.gate, self.chance.choice((1, 2, 4)), self._paid, storms(self.chance, self.faults))
        return {
            "store": self.store,
            "blobs": watched(self.blobs, "blobs", guard),
            "queue": watched(SimulatedQueue(self.loop, self.faults, self.cloud.deliver), "queue", guard),
            "embedder": embedder,
            "clock": SkewedClock(self.loop),
            "ids": SequenceIds(self.seed, TrueClock(self.loop)),
            "analyser": MemoryAnalyser(),
            "reader": LineReader(self.loop, self.faults),
            "meter": SilentMeter(),
            "rate_factor": 0.0,
            "revision": REVISION,
            "egress": self.endpoint,
            "webhook_key": KEY,
            "pace": Pace(in_progress=self.chance.choice((1, 2, 100, 100))),
            "remote_vectors": None if self.remote is None else watched(self.remote, "vectors", guard),
        }

    # Its course.

    def _live(self) -> None:
        process = Process("setup", 0, faultless=True)
        PROCESS.set(process)
        tenants: list[Tenant] = self.loop.run_until_complete(self._found())
        self.clients = Clients(self, tenants)
        self.clients.begin()
        Schedules(self, self.rounds * len(tenants)).begin()
        limit = MOST_TURNS
        while self.loop.turn():
            if self.watch.violations or self.loop.failures or self.cloud.crashed or self.loop.turns > limit:
                break
        self._note_errors()
        if self.loop.turns > limit:
            self.wrong("the history does not come to an end")
        if not self.watch.violations:
            self.loop.run_until_complete(self._last_look(tenants))
            self.watch.violations += verdict(self)

    def _note_errors(self) -> None:
        for error in self.loop.failures:
            self.wrong(f"an error nobody handles: {error!r}")
        for function, error in self.cloud.crashed:
            self.wrong(f"{function} raised {error!r}")

    def wrong(self, what: str) -> None:
        """Something is not as it must be."""
        self.watch.violations.append(what)

    async def _found(self) -> list[Tenant]:
        """Tenants with a collection or two each."""
        made = []
        ids = bootstrap.powers().ids
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            founder = founding_scope(ids.new())
            project = Project(ids.new(), founder.tenant_id, PROJECT, START)
            tenant = Tenant(founder.tenant_id, project.id, [])
            async with bootstrap.transaction(founder) as ports:
                await ports.tenants.ensure(founder.tenant_id, TENANT, START)
                await ports.projects.add(founder, project)
                for number in range(self.chance.choice((1, 1, 2))):
                    chunking = self.chance.choice(self.chunkings)
                    collection = await manage.create(tenant.scope, ports, name=f"c{number}", chunking=chunking)
                    tenant.collections.append(collection.id)
            made.append(tenant)
        return made

    async def _last_look(self, tenants: Sequence[Tenant]) -> None:
        """Search everything, undisturbed."""
        self.faults.until = -1.0
        assert self.clients is not None
        for tenant in tenants:
            for collection in tenant.collections:
                hits = await self.clients.search(tenant, collection)
                if hits is None:
                    # A crash that is forced may have been kept for this very moment.
                    hits = await self.clients.search(tenant, collection)
                wanted = self._searchable(tenant, collection)
                known = self.watch.sight.collection(tenant.scope.tenant_id, collection)
                if collection in self.model.rooms_deleted or (known and self.watch.sight.away(known)):
                    if hits is not None:
                        self.wrong(f"a deleted collection was searched: {summary(hits)}")
                elif hits is None or {one: texts for one, texts in hits.items() if texts} != wanted:
                    self.wrong(f"searched {summary(hits or {})}, expected {summary(wanted)}")

    def _searchable(self, tenant: Tenant, collection: UUID) -> dict[UUID, set[str]]:
        sight, found = self.watch.sight, {}
        for one in sight.documents():
            if one.collection_id == collection and not one.deleted and (served := sight.served(one)):
                chunks = sight.chunks(one.tenant_id, one.id, served)
                found[one.id] = {chunk.text for chunk in chunks.values()}
        return found

    # What is watched on the way.

    def _gone(self, key: str) -> bool:
        """Whether an object's document is deleted."""
        if self.rounds:
            # It is found all the same when rows and stores are compared.
            return False
        return any(self.watch.sight.deleted(UUID(part)) for part in key.split("/") if len(part) == 36)

    def _paid(self, process: Process, texts: Sequence[str]) -> Sequence[Payment]:
        assert process.tenant is not None
        hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        made, problem = self.watch.ledger.paid(process, process.tenant, hashes)
        if problem:
            self.wrong(problem)
        return made

    def judge_hits(
        self, tenant: UUID, gone: set[UUID], hits: dict[UUID, set[str]], versions: dict[UUID, set[int]]
    ) -> None:
        """What a search brought: nothing deleted, nothing of others, one generation of each document, its own text."""
        for document, texts in hits.items():
            if document in gone:
                self.wrong(f"document {short(document)} was found after its deletion was answered")
            if len(versions[document]) != 1:
                self.wrong(f"document {short(document)} was found in generations {sorted(versions[document])} at once")
            number = min(versions[document])
            generation = self.watch.sight.generation(tenant, document, number)
            upload = self.model.uploads.get(generation.source.version_id) if generation else None
            known = {text for one in self.chunkings for text in (upload and pieces_of(upload.body, one)) or ()}
            if not texts <= known:
                self.wrong(f"document {short(document)} was found with words that are not in its upload")


def pieces_of(body: bytes, chunking: Chunking) -> tuple[str, ...]:
    """The chunks of a file, none when it cannot be indexed."""
    return contents.pieces(body, chunking) or ()


def summary(found: dict[UUID, set[str]]) -> dict[str, int]:
    """Documents and how many chunks of each."""
    return {short(one): len(texts) for one, texts in sorted(found.items())}


def _untraced[Port](target: Port, power: str) -> Port:
    return target
