"""A cloud of its own for this folder's tests."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.local import cloud
from shared.local.cloud import Options, Ready
from tests.crashes.place import ENVIRONMENT

ROOT = Path(__file__).parents[2]
WIDE = {"embedder": "memory", "model": "wide", "dimensions": 512}
"""A second model that costs nothing, of other dimensions than the present one."""


class Cloud:
    """The running cloud as a client sees it."""

    def __init__(self, ready: Ready, state: Path) -> None:
        """Args:
        ready: what `up` answered.
        state: its folder.
        """
        self.ready = ready
        self.state = state
        headers = {"Authorization": f"Bearer {ready.api_key}"}
        self.api = httpx.Client(base_url=f"{ready.url}/api/v1", headers=headers, timeout=60)

    def collection(self, name: str) -> str:
        """Make a collection; returns its id."""
        made = self.api.post("/collections", json={"name": name})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def upload(self, collection: str, name: str, body: bytes, **fields: object) -> str:
        """Create a document and send its file; returns its id."""
        slot = self.api.post("/documents", json={"collection_id": collection, "name": name, **fields})
        assert slot.status_code == 201, slot.text
        form = slot.json()["upload"]
        sent = httpx.post(form["url"], data=form["fields"], files={"file": (name, body)}, timeout=60)
        assert sent.status_code < 300, sent.text
        return str(slot.json()["document"]["id"])

    def documents(self, collection: str) -> list[dict[str, object]]:
        """Every document of a collection, page by page."""
        found: list[dict[str, object]] = []
        cursor: dict[str, str] = {}
        while True:
            response = self.api.get("/documents", params={"collection_id": collection, "limit": "200", **cursor})
            assert response.status_code == 200, response.text
            page = response.json()
            found += page["items"]
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}


@pytest.fixture(scope="session")
def running() -> Iterator[Cloud]:
    """A cloud with an embedder that costs nothing. Its Postgres is durable: it is killed here."""
    # Not pytest's own folder: Postgres runs as another user than root's tests and must be able to reach its data.
    state = Path(tempfile.mkdtemp(prefix="lambent-e2e-"))
    state.chmod(0o755)
    environment = {**ENVIRONMENT, "LAMBENT_OTHER_EMBEDDING_MODELS": json.dumps([WIDE])}
    options = Options(root=ROOT, state=state, environment=environment, port=8500)
    client = Cloud(cloud.up_detached(options), state)
    try:
        yield client
    finally:
        client.api.close()
        cloud.down(ROOT, state=state)
        shutil.rmtree(state, ignore_errors=True)


@pytest.fixture
def sample_files() -> dict[str, bytes]:
    """One small file of each of several formats, made here."""
    return {
        "notes.md": b"# Notes\n\nThe cache is invalidated by generation, never by time.\n",
        "table.csv": b"city,rivers\nBremen,Weser\nKoln,Rhein\n",
        "page.html": b"<html><title>Page</title><body><h1>Boats</h1><p>A ferry crosses at noon.</p></body></html>",
        "plain.txt": b"Plain text about lighthouses and fog horns.\n",
        "data.json": json.dumps({"lamp": {"watts": 60, "colour": "warm"}}).encode(),
        "code.py": b"def lantern(height):\n    return height * 2\n",
    }
