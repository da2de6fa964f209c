"""What happens every minute, and when a history is over."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.domain.documents import Generation, GenerationState
from shared.domain.indexes import IndexState
from shared.domain.ingestion import UPLOAD_LIFE
from shared.usecases.ingest.outages import NOTE
from shared.usecases.reconcile.stores import GUARD
from tests.simulation.cloud import EVERY
from tests.simulation.processes import Process
from tests.simulation.sight import short

if TYPE_CHECKING:
    from tests.simulation.history import History

PATIENCE = 900.0
"""Seconds after the last fault within which everything has come to its end."""
DELIVERIES = 4 * 3600.0
"""The same for telling an endpoint, which is tried again after pauses that double."""
SKEW = 30.0
"""Seconds that a clock may be off."""
MOVING = frozenset({IndexState.BUILDING, IndexState.READY, IndexState.RETIRED, IndexState.DROPPING})
"""Indexes that the schedule looks after."""
DUE = {"generation": "generations", "delivery": "webhook_deliveries", "erasure": "receipts"}
"""Where it is written when somebody looks after what is restless."""


class Schedules:
    """Calls the scheduled functions once a minute until all has come to rest.

    Some histories go on from there: after an hour, rows and stores are compared.
    """

    def __init__(self, history: "History", rounds: int) -> None:
        """Args:
        history: whose.
        rounds: how often rows and stores are compared in the end.
        """
        self._history = history
        self._rounds = rounds
        self._seen: dict[str, int] = {}
        """By scheduled function: the changes of the database that it has seen from its beginning to its end."""

    def begin(self) -> None:
        """From now on."""
        self._history.loop.call_later(EVERY, self._tick)

    def _tick(self) -> None:
        history = self._history
        if history.gate.over:
            return
        if self._resting():
            if history.loop.time() >= history.faults.last and not history.cloud.reveal():
                if not self._rounds:
                    return
                self._compare()
                return
        else:
            self._stuck()
        if self._news("sweep") or self._due():
            self._call("sweep")
        else:
            self._noted()
        if self._indexes() and self._news("reindex"):
            self._call("reindex")
        history.loop.call_later(EVERY, self._tick)

    def _call(self, function: str) -> None:
        changes = self._history.store.changes
        self._history.cloud.tick(function, partial(self._ended, function, changes))

    def _ended(self, function: str, changes: int, process: Process, answer: Any) -> None:
        if answer is not None and not process.undone and not process.turned_away:
            self._seen[function] = changes

    def _compare(self) -> None:
        """Everything is old enough now to be compared; one tenant at a time."""
        self._rounds -= 1
        history = self._history
        wait = GUARD.total_seconds() + 2 * SKEW if not history.compared else EVERY
        history.compared = True

        def look() -> None:
            if not history.gate.over:
                self._noted()
                history.cloud.tick("sweep")
                history.loop.call_later(EVERY, self._tick)

        history.loop.call_later(wait, look)

    def _noted(self) -> None:
        """A sweep that would have found nothing leaves its note all the same."""
        history = self._history
        history.store.remember(NOTE, (history.start + timedelta(seconds=history.loop.time())).isoformat())

    # Whether there is anything to do.

    def _resting(self) -> bool:
        history = self._history
        busy = history.watch.restless or history.watch.sight.outbox() or history.cloud.busy
        clients = history.clients is not None and history.clients.running
        return not (busy or clients or (self._indexes() and self._news("reindex")))

    def _news(self, function: str) -> bool:
        """Whether a call would find more than the last one found: it did not come to its end, or much has changed."""
        return self._seen.get(function) != self._history.store.changes

    def _indexes(self) -> bool:
        return any(one.state in MOVING for one in self._history.watch.sight.indexes())

    def _due(self) -> bool:
        """Whether something is due that a sweep would look after, or is about to be."""
        history, sight = self._history, self._history.watch.sight
        if sight.outbox():
            return True
        soon = history.start + timedelta(seconds=history.loop.time() + SKEW + EVERY)
        for kind, tenant, *key in history.watch.restless:
            if kind == "deletion":
                return True
            row = sight.row(DUE[kind], tenant, *key)
            if row is None or row.due_at is None or row.due_at <= soon:
                return True
            if kind == "generation" and row.state is GenerationState.QUEUED:
                return True
        return False

    # Whether anything takes too long.

    def _stuck(self) -> None:
        history = self._history
        now, last = history.loop.time(), max(history.faults.last, history.model.last)
        for item, since in history.watch.restless.items():
            kind, tenant, document = item[:3]
            patience = DELIVERIES if kind == "delivery" else PATIENCE + 2 * EVERY
            if now - max(last, since) <= patience:
                continue
            name = f"{kind} of {short(document)}"
            if kind == "generation":
                generation = history.watch.sight.generation(tenant, document, item[3])
                if generation is None or self._may_wait(tenant, generation):
                    continue
                name = f"generation {item[3]} of {short(document)} ({generation.state.value})"
            history.wrong(f"{name} has not come to an end 15 minutes after the last fault")

    def _may_wait(self, tenant: UUID, generation: Generation) -> bool:
        """A form that nobody used is closed when its time is up; who stands in line waits for those before."""
        history = self._history
        if generation.state is GenerationState.QUEUED:
            others = (one for one in history.watch.sight.generations() if one.tenant_id == tenant)
            return any(not one.terminal and one.state is not GenerationState.QUEUED for one in others)
        if generation.state is not GenerationState.AWAITING_UPLOAD:
            return False
        used = any(one.slot == generation.number for one in history.model.of(generation.document_id))
        closes = generation.entered_at + UPLOAD_LIFE + timedelta(seconds=180) - history.start
        return not used and history.loop.time() < closes.total_seconds()
