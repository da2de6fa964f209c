"""From one embedding model to another of other dimensions and back, while people search and upload without a pause."""

import threading
import time
from collections.abc import Callable
from itertools import count, cycle
from typing import Any, Self

import httpx

from shared.local import cloud
from tests.e2e.conftest import ROOT, WIDE, Cloud
from tests.e2e.test_ingestion import DEADLINE, settled

MODEL = f"{WIDE['embedder']}/{WIDE['model']}"
ISLES = ("Arran", "Bute", "Coll", "Islay", "Jura", "Mull")
MODES = ("hybrid", "vector", "keyword")


class Repeated:
    """Does something over and over on a thread of its own while a block runs, and keeps what came of it."""

    def __init__(self, act: Callable[[httpx.Client], Any], cloud: Cloud, pause: float) -> None:
        self.seen: list[Any] = []
        self._act, self._cloud, self._pause = act, cloud, pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        own = httpx.Client(base_url=self._cloud.api.base_url, headers=self._cloud.api.headers, timeout=60)
        with own:
            while not self._stop.is_set():
                try:
                    self.seen.append(self._act(own))
                except (httpx.HTTPError, AssertionError) as error:
                    self.seen.append(error)
                self._stop.wait(self._pause)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def until(what: Callable[[], bool], between: Callable[[], object] = lambda: None) -> None:
    """Wait for it, doing something between two looks."""
    end = time.monotonic() + DEADLINE
    while not what():
        assert time.monotonic() < end, "it does not come"
        between()
        time.sleep(0.5)


def test_switch_of_the_model_and_back_while_people_search_and_upload_leaves_no_answer_empty(running: Cloud) -> None:
    collection = running.collection("isles")
    ids = {running.upload(collection, f"{one}.txt", f"The ferry to {one} leaves at dawn.".encode()) for one in ISLES}
    settled(running, collection, len(ISLES))
    modes, uploaded = cycle(MODES), count()

    def search(client: httpx.Client) -> Any:
        asked = {"query": "ferry at dawn", "collection_ids": [collection], "limit": 50, "mode": next(modes)}
        answer = client.post("/search", json=asked)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return body["model"], {hit["document_id"] for hit in body["hits"]}

    def upload(_: httpx.Client) -> str:
        return running.upload(collection, f"more {(n := next(uploaded))}.txt", f"Boat {n} to the isles.".encode())

    def schedule() -> None:
        cloud.invoke(ROOT, "reindex", {}, state=running.state)

    def step(name: str) -> str:
        answer = running.api.post(f"/reindexes/{made}/{name}")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])

    def state() -> str:
        return str(running.api.get(f"/reindexes/{made}").json()["state"])

    with Repeated(search, running, 0.1) as searches, Repeated(upload, running, 1.0) as uploads:
        answer = running.api.post("/reindexes", json={"collection_id": collection, "model": MODEL})
        assert answer.status_code == 202, answer.text
        made = answer.json()["id"]
        until(lambda: state() == "ready", schedule)
        until(lambda: step("promote") == "live")
        until(lambda: any(one[0] == MODEL for one in searches.seen[-3:] if isinstance(one, tuple)))
        until(lambda: step("rollback") == "retired")
        after = len(searches.seen)
        until(lambda: len(searches.seen) >= after + len(MODES))
    assert [one for one in searches.seen if not isinstance(one, tuple) or not ids <= one[1]] == []
    assert {model for model, _ in searches.seen[-2:]} == {searches.seen[0][0]} != {MODEL}
    assert [one for one in uploads.seen if not isinstance(one, str)] == []

    def found() -> set[str]:
        asked = {"query": "isles boat ferry", "collection_ids": [collection], "limit": 100}
        return {hit["document_id"] for hit in running.api.post("/search", json=asked).json()["hits"]}

    # Uploads that waited for a cut are made for the index that is searched now.
    until(lambda: found() == {*ids, *uploads.seen}, schedule)
