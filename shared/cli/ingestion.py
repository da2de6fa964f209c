"""Files in, indexed documents out: send many at a time, then watch each until it ends."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from shared.cli.api import Api
from shared.cli.errors import ApiProblem, CliError, NotLambent, Unreachable, UploadRefused
from shared.cli.outcomes import NO_COUNTS, Labels, Outcome, Watcher
from shared.cli.pipeline import STAGES
from shared.cli.shapes.documents import Document
from shared.cli.sources import Source, digest
from shared.cli.transfer import Uploader

PATIENCE_SECONDS = 1800.0
"""How long to wait while nothing at all moves."""
FEW = 20
"""So many documents are asked about one by one; of more, the run's events tell who is done."""
_FIRST_POLL, _LONGEST_POLL, _POLL_GROWTH = 0.25, 5.0, 1.4
_SILENCE_SECONDS = 30.0
_POLLERS = 4
_LOOKING_SHARE = 5.0
"""Watching must not take the machine from the work that is watched."""
_SKIM_SECONDS, _SKIM_REST = 1.0, 10.0
_TICK = 0.05


@dataclass(frozen=True, slots=True)
class _Seen:
    """What tells whether a document moves: a long one may be in one step for minutes."""

    state: str
    attempts: int = 0
    waiting: str = ""
    embedded: int = 0


@dataclass
class _Waiting:
    """A document on its way."""

    source: Source
    document_id: str
    version: int
    began: float
    bytes: int
    seen: _Seen | None = None
    interval: float = _FIRST_POLL
    asked: float = 0.0
    """When it was looked at last; the next look is an interval later."""


class Ingestion:
    """One run.

    Args:
        api: the API.
        collection_id: where the documents go.
        labels: attached to each.
        watcher: told how it goes; always from the calling thread, except `sent`.
        name: of the run, for people.
        jobs: files sent at a time.
        patience: seconds to wait while nothing moves.
        clock: seconds, for tests.
    """

    def __init__(
        self,
        api: Api,
        collection_id: str,
        labels: Labels,
        watcher: Watcher,
        *,
        name: str = "ingest",
        jobs: int = 8,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = ""
        """Of the run in the API, once it is open."""
        self._api = api
        self._collection_id = collection_id
        self._labels = labels
        self._name = name
        self._watcher = watcher
        self._jobs = jobs
        self._patience = patience
        self._clock = clock
        self._stop = threading.Event()
        self._uploader = Uploader(self._stop)
        self._sent: queue.SimpleQueue[Future[_Waiting | Outcome]] = queue.SimpleQueue()
        self._waiting: list[_Waiting] = []
        self._outcomes: list[Outcome] = []
        self._next_skim = 0.0
        self._heard = 0
        """Number of the run's last event that was seen."""
        self._ended_ids: set[str] = set()
        self._open = False
        self._answer_seconds = 0.02
        self._moved = 0.0
        """When something last changed."""
        self._silent_since: float | None = None

    def run(self, sources: Sequence[Source], *, wait_for_index: bool = True) -> list[Outcome]:
        """Send every file and wait until each is indexed or has failed.

        Returns:
            One outcome a file, in the order they ended.

        Raises:
            CliError: the API cannot be reached or does not accept the key; what was sent goes on without us.
        """
        self._watcher.planned(sources)
        self.id = self._api.create_ingestion(self._name, self._collection_id, len(sources))["id"]
        self._open = True
        self._moved = self._clock()
        senders = ThreadPoolExecutor(self._jobs, thread_name_prefix="send")
        pollers = ThreadPoolExecutor(_POLLERS, thread_name_prefix="poll")
        try:
            for source in sources:
                senders.submit(self._send, source).add_done_callback(self._sent.put)
            self._follow(len(sources), pollers, wait_for_index=wait_for_index)
        finally:
            # After Ctrl-C or a dead API nothing further starts, and files on their way stop being read.
            self._stop.set()
            senders.shutdown(wait=True, cancel_futures=True)
            pollers.shutdown(wait=True, cancel_futures=True)
            self._uploader.close()
            # Whatever stopped us, that is what tells why; the run only stays open.
            with contextlib.suppress(CliError):
                self._close()
        return self._outcomes

    def _follow(self, unsent: int, pollers: ThreadPoolExecutor, *, wait_for_index: bool) -> None:
        while unsent or self._waiting:
            for arrived in self._arrivals():
                self._take(arrived, wait_for_index=wait_for_index)
                unsent -= 1
            if not unsent:
                self._close()
            self._poll(pollers)
            now = self._clock()
            if not self._waiting:
                self._moved = now
            elif now - self._moved > self._patience:
                self._give_up()

    def _close(self) -> None:
        """No more files come: the run completes with the last of those it has."""
        if self._open:
            self._open = False
            self._api.close_ingestion(self.id)

    def _arrivals(self) -> "Iterator[_Waiting | Outcome]":
        """Whatever was sent by now; waits a moment for the first."""
        with contextlib.suppress(queue.Empty):
            yield self._sent.get(timeout=_TICK).result()
            while True:
                yield self._sent.get_nowait().result()

    def _listen(self, *, heard: bool) -> None:
        """Keep account of how long the API has said nothing.

        Raises:
            Unreachable: for too long.
        """
        now = self._clock()
        if heard or self._silent_since is None:
            self._silent_since = None if heard else now
        elif now - self._silent_since > _SILENCE_SECONDS:
            raise Unreachable(
                "the API stopped answering; what was sent is processed without us",
                code="unreachable",
                hint="lambent documents --status processing",
            )

    def _take(self, arrived: "_Waiting | Outcome", *, wait_for_index: bool) -> None:
        """A file was sent, or could not be."""
        self._moved = self._clock()
        if isinstance(arrived, Outcome):
            self._end(arrived)
        elif wait_for_index:
            arrived.asked, arrived.interval = self._moved, max(arrived.interval, self._fair())
            self._waiting.append(arrived)
            self._watcher.moved(arrived.source.key, STAGES[0])
        else:
            self._end(_outcome(arrived, "sent", self._clock()))

    def _send(self, source: Source) -> "_Waiting | Outcome":
        began = self._clock()
        try:
            slot = self._api.announce(
                {
                    "collection_id": self._collection_id,
                    "name": source.name,
                    "size": source.size,
                    "media_type": source.media_type,
                    "path": source.key,
                    "content_hash": digest(source.file),
                    "tags": list(self._labels.tags),
                    "metadata": dict(self._labels.metadata),
                    "ingestion_id": self.id,
                }
            )
            document = slot["document"]
            if slot["upload"] is None:
                return Outcome(source.key, "unchanged", document["id"], slot["version"], seconds=self._clock() - began)
            self._uploader.send(slot["upload"], source.file, self._watcher.sent)
        except ApiProblem as problem:
            if problem.status in {401, 403}:
                raise
            return Outcome(
                source.key, "failed", code=problem.code, reason=problem.detail, seconds=self._clock() - began
            )
        except UploadRefused as refused:
            return Outcome(
                source.key, "failed", code=refused.code, reason=refused.detail, seconds=self._clock() - began
            )
        except OSError as error:
            return Outcome(
                source.key, "failed", code="unreadable", reason=f"the file cannot be read: {error.strerror or error}"
            )
        return _Waiting(source, document["id"], slot["version"], began, source.size)

    def _poll(self, pollers: ThreadPoolExecutor) -> None:
        """Ask about those that are due."""
        if len(self._waiting) > FEW and self._clock() >= self._next_skim:
            self._skim()
        now = self._clock()
        slowest = self._slowest()
        due = [one for one in self._waiting if now >= one.asked + min(one.interval, slowest)][: _POLLERS * 2]
        for one, (seen, document) in zip(due, pollers.map(self._look, due), strict=True):
            one.asked = self._clock()
            one.interval = max(one.interval * _POLL_GROWTH, self._fair())
            self._listen(heard=bool(seen.state))
            if not seen.state or seen == one.seen:
                continue
            one.seen, one.interval, self._moved = seen, max(_FIRST_POLL, self._fair()), one.asked
            self._watcher.moved(one.source.key, seen.state)
            if seen.state not in STAGES:
                self._waiting.remove(one)
                self._end(_outcome(one, seen.state, self._clock(), document))

    def _skim(self) -> None:
        """Learn from the run's events who is done: one request for two hundred documents, where asking for each would
        take from a small machine the time it needs to process them.
        """
        began = self._clock()
        try:
            for event in self._api.ingestion_events(self.id, self._heard):
                self._heard = event["number"]
                self._ended_ids.add(event["document_id"] or "")
        except (Unreachable, NotLambent, ApiProblem):
            # Whoever asks for single documents tells what to make of it.
            self._next_skim = self._clock() + _LONGEST_POLL
            return
        for one in self._waiting:
            if one.document_id in self._ended_ids:
                one.interval = 0.0
        now = self._clock()
        self._next_skim = now + max(_SKIM_SECONDS, _SKIM_REST * (now - began))

    def _fair(self) -> float:
        """Seconds between two looks at one document, so that looking takes a fifth of the time."""
        fair = len(self._waiting) * self._answer_seconds * _LOOKING_SHARE
        return min(fair, _LONGEST_POLL) if len(self._waiting) <= FEW else fair

    def _slowest(self) -> float:
        return max(_LONGEST_POLL, self._fair())

    def _look(self, one: _Waiting) -> tuple[_Seen, Document | None]:
        """A version as it is now, with its document; no state when the API did not say this time."""
        began = self._clock()
        try:
            document = self._api.document(one.document_id)
        except (Unreachable, NotLambent):
            return _Seen(""), None
        except ApiProblem as problem:
            if problem.status == 404:
                return _Seen("deleted"), None
            if problem.status >= 500 or problem.status == 429:
                return _Seen(""), None
            raise
        # A running mean; two threads at once lose one value of it, which does not matter.
        self._answer_seconds += (self._clock() - began - self._answer_seconds) / 8
        return _seen(document, one.version), document

    def _give_up(self) -> None:
        for one in self._waiting:
            why = self._api.why(one.document_id)
            self._end(_outcome(one, "pending", self._clock(), reason=f"{why['summary']}; next: {why['next']}"))
        self._waiting.clear()

    def _end(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._watcher.ended(outcome)


def _seen(document: Document, version: int) -> _Seen:
    """Our version of a document."""
    latest = document.get("latest")
    if latest is None or latest["version"] < version:
        return _Seen(STAGES[0])
    if latest["version"] > version:
        return _Seen("superseded")
    state = {"committed": "indexed"}.get(latest["state"], latest["state"])
    return _Seen(state, latest["attempts"], latest["waiting"], latest["counts"]["embedded"])


def _outcome(one: _Waiting, result: str, now: float, document: Document | None = None, *, reason: str = "") -> Outcome:
    latest = document.get("latest") if document else None
    failure = latest["failure"] if latest and result == "failed" else None
    return Outcome(
        path=one.source.key,
        result=result,
        document_id=one.document_id,
        version=one.version,
        code=failure["code"] if failure else "",
        reason=failure["detail"] if failure else reason,
        counts=latest["counts"] if latest else NO_COUNTS,
        timings=latest["timings"] if latest else {},
        warnings=latest["warnings"] if latest else (),
        duplicate_of=document["duplicate_of"] if document else None,
        bytes=one.bytes,
        seconds=now - one.began,
    )
