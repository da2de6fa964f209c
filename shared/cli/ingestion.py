"""Files in, indexed documents out: send many at a time, then watch each until it ends."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from shared.cli.api import Api
from shared.cli.errors import ApiProblem, NotLambent, Unreachable, UploadRefused
from shared.cli.outcomes import NO_COUNTS, Labels, Outcome, Watcher
from shared.cli.pipeline import STAGES
from shared.cli.shapes import Document
from shared.cli.sources import Source, digest
from shared.cli.transfer import Uploader

PATIENCE_SECONDS = 600.0
"""How long to wait while nothing at all moves."""
POLLS_PER_SECOND = 20.0
"""All documents together: watching must not cost more than the work that is watched."""
_FIRST_POLL, _LONGEST_POLL, _POLL_GROWTH = 0.25, 5.0, 1.4
_SILENCE_SECONDS = 30.0
_POLLERS = 4
_TICK = 0.05


@dataclass
class _Waiting:
    """A document on its way."""

    source: Source
    document_id: str
    version: int
    began: float
    bytes: int
    state: str = ""
    interval: float = _FIRST_POLL
    due: float = 0.0


class Ingestion:
    """One run.

    Args:
        api: the API.
        collection_id: where the documents go.
        labels: attached to each.
        watcher: told how it goes; always from the calling thread, except `sent`.
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
        jobs: int = 8,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._collection_id = collection_id
        self._labels = labels
        self._watcher = watcher
        self._jobs = jobs
        self._patience = patience
        self._clock = clock
        self._stop = threading.Event()
        self._uploader = Uploader(self._stop)
        self._sent: queue.SimpleQueue[Future[_Waiting | Outcome]] = queue.SimpleQueue()
        self._waiting: list[_Waiting] = []
        self._outcomes: list[Outcome] = []
        self._heard = self._moved = 0.0
        """When the API last answered, and when something last changed."""

    def run(self, sources: Sequence[Source], *, wait_for_index: bool = True) -> list[Outcome]:
        """Send every file and wait until each is indexed or has failed.

        Returns:
            One outcome a file, in the order they ended.

        Raises:
            CliError: the API cannot be reached or does not accept the key; what was sent goes on without us.
        """
        self._watcher.planned(sources)
        self._heard = self._moved = self._clock()
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
        return self._outcomes

    def _follow(self, unsent: int, pollers: ThreadPoolExecutor, *, wait_for_index: bool) -> None:
        while unsent or self._waiting:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._take(self._sent.get(timeout=_TICK).result(), wait_for_index=wait_for_index)
                    unsent -= 1
            self._poll(pollers)
            now = self._clock()
            if not self._waiting:
                self._heard = self._moved = now
            elif now - self._heard > _SILENCE_SECONDS + self._slowest():
                raise Unreachable(
                    "the API stopped answering; what was sent is processed without us",
                    code="unreachable",
                    hint="lambent documents --status processing",
                )
            elif now - self._moved > self._patience:
                self._give_up()

    def _take(self, arrived: "_Waiting | Outcome", *, wait_for_index: bool) -> None:
        """A file was sent, or could not be."""
        self._moved = self._clock()
        if isinstance(arrived, Outcome):
            self._end(arrived)
        elif wait_for_index:
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
        now = self._clock()
        due = [one for one in self._waiting if one.due <= now][: _POLLERS * 2]
        for one, (state, document) in zip(due, pollers.map(self._look, due), strict=True):
            fastest = len(self._waiting) / POLLS_PER_SECOND
            one.interval = min(self._slowest(), max(one.interval * _POLL_GROWTH, fastest))
            one.due = self._clock() + one.interval
            if not state:
                continue
            self._heard = self._clock()
            if state == one.state:
                continue
            one.state, one.interval, self._moved = state, _FIRST_POLL, self._heard
            self._watcher.moved(one.source.key, state)
            if state not in STAGES:
                self._waiting.remove(one)
                self._end(_outcome(one, state, self._clock(), document))

    def _slowest(self) -> float:
        return max(_LONGEST_POLL, len(self._waiting) / POLLS_PER_SECOND)

    def _look(self, one: _Waiting) -> tuple[str, Document | None]:
        """The state of a version now, with its document; '' when the API did not say this time."""
        try:
            document = self._api.document(one.document_id)
        except (Unreachable, NotLambent):
            return "", None
        except ApiProblem as problem:
            if problem.status == 404:
                return "deleted", None
            if problem.status >= 500 or problem.status == 429:
                return "", None
            raise
        return _state_of(document, one.version), document

    def _give_up(self) -> None:
        for one in self._waiting:
            why = self._api.why(one.document_id)
            self._end(_outcome(one, "pending", self._clock(), reason=f"{why['summary']}; next: {why['next']}"))
        self._waiting.clear()

    def _end(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._watcher.ended(outcome)


def _state_of(document: Document, version: int) -> str:
    """The state of our version: one of STAGES, or how it ended."""
    latest = document.get("latest")
    if latest is None or latest["version"] < version:
        return STAGES[0]
    if latest["version"] > version:
        return "superseded"
    return {"committed": "indexed"}.get(latest["state"], latest["state"])


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
