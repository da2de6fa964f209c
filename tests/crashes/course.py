"""Documents on their way through the cloud: sent until acknowledged, waited for, and looked for afterwards."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import httpx
import psycopg

from shared.local import cloud
from shared.local.errors import InvokeFailed
from tests.crashes.place import Place

_SENDERS = 4
_LEAD = 20
"""Documents that may be on their way before the storm has caught up with them."""
_PAUSE_SECONDS = 0.1
_SWEEP_EVERY_SECONDS = 5.0
_ENDED = ("indexed", "failed")


def text_of(number: int) -> str:
    """The words of a document: one chunk, with a word that no other document has."""
    return f"Lighthouse {word_of(number)} stands on rock {number * 7} and blinks every {number % 9 + 2} seconds."


def word_of(number: int) -> str:
    """The word that only this document has."""
    return "zq" + "".join(chr(ord("a") + int(digit)) for digit in f"{number:06d}")


class Course:
    """The documents of one collection, by number."""

    def __init__(self, place: Place, documents: int) -> None:
        self.place = place
        self.documents = documents
        self.collection = self._ask("POST", "/collections", json={"name": f"crashes-{time.time_ns()}"})["id"]
        self.acknowledged: dict[int, str] = {}
        """Documents whose upload S3 has answered: their ids by number."""
        self.repeated: Counter[str] = Counter()
        """Requests that had to be sent again, by what came back."""
        self._lock = Lock()

    def progress(self) -> float:
        """Share (0-1) of the documents that were acknowledged."""
        return len(self.acknowledged) / self.documents

    def send(self, allowed: Callable[[], float]) -> None:
        """Send every document, with at most `_LEAD` more than `allowed` (a share, 0-1) on their way."""

        def one(number: int) -> None:
            while number - _LEAD > allowed() * self.documents:
                time.sleep(_PAUSE_SECONDS)
            self._upload(number)

        with ThreadPoolExecutor(_SENDERS) as pool:
            list(pool.map(one, range(self.documents)))

    def _upload(self, number: int) -> None:
        name = f"lighthouse-{number}.txt"
        while True:
            # With a path, asking again gives the same document and the same slot.
            slot = self._ask("POST", "/documents", json={"collection_id": self.collection, "name": name, "path": name})
            form = slot["upload"]
            try:
                sent = httpx.post(
                    form["url"],
                    data=form["fields"],
                    files={"file": (name, text_of(number).encode())},
                    timeout=60,
                    trust_env=False,
                )
            except httpx.TransportError as error:
                self._again(type(error).__name__)
                continue
            if sent.status_code < 300:
                with self._lock:
                    self.acknowledged[number] = str(slot["document"]["id"])
                return
            self._again(f"S3 {sent.status_code}")

    def settle(self, seconds: float) -> Counter[str]:
        """Wait until every document has ended, sweeping more often than the schedule does.

        Returns:
            Documents by status; after `seconds`, whatever they are then.
        """
        until = time.monotonic() + seconds
        swept = 0.0
        while True:
            found = self.statuses()
            if sum(found[status] for status in _ENDED) == self.documents or time.monotonic() > until:
                return found
            if time.monotonic() > swept + _SWEEP_EVERY_SECONDS:
                self._sweep()
                swept = time.monotonic()
            time.sleep(_PAUSE_SECONDS * 5)

    def retry_failed(self) -> int:
        """What an operator does after a disaster: take up again what was given up; returns how many."""
        started = 0
        cursor: dict[str, str] = {}
        while True:
            answer = self._ask("POST", "/documents/retry", json={"collection_id": self.collection, **cursor})
            started += len(answer["started"])
            if answer["next"] is None:
                return started
            cursor = {"cursor": answer["next"]}

    def statuses(self) -> Counter[str]:
        """Documents by status, from the database."""
        rows = self.rows("SELECT status, count(*) FROM documents WHERE collection_id = %s GROUP BY status")
        return Counter({str(status): count for status, count in rows})

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a query with the collection as its only parameter."""
        with psycopg.connect(self.place.database, autocommit=True) as connection:
            return connection.execute(statement.encode(), [self.collection]).fetchall()

    def hits(self, query: str) -> list[dict[str, object]]:
        """What a search finds."""
        body = {"query": query, "collection_ids": [self.collection], "limit": 20}
        found: list[dict[str, object]] = self._ask("POST", "/search", json=body)["hits"]
        return found

    def _sweep(self) -> None:
        try:
            cloud.invoke(self.place.root, "sweep", {}, state=self.place.state)
        except InvokeFailed:
            self._again("sweep")

    def _ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """An answer of the API, asked again while the process or the database behind it is being killed."""
        while True:
            try:
                answer = self.place.api.request(method, path, **content)
            except httpx.TransportError as error:
                self._again(type(error).__name__)
                continue
            if answer.status_code < 300:
                found: dict[str, Any] = answer.json()
                return found
            if answer.status_code not in (409, 429, 500, 502, 503, 504):
                raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
            self._again(str(answer.status_code))

    def _again(self, why: str) -> None:
        with self._lock:
            self.repeated[why] += 1
        time.sleep(_PAUSE_SECONDS)
