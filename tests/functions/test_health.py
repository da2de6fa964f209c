"""Health: alive, healthy, and which part is not."""

import gzip
import json
import re
from pathlib import Path

import pytest

from shared import bootstrap
from shared.domain.errors import Unavailable
from shared.domain.events import Outgoing, Queue
from shared.domain.tenants import Permission
from shared.runtime import openapi, publishing
from shared.runtime.invocation import run
from tests.functions.examples import seed
from tests.functions.gateway import Answer, cases, example
from tests.functions.world import Client, World

PARTS = {"database", "migrations", "vector_store", "object_store", "queues", "models"}


@pytest.mark.parametrize("case", cases("health"))
def test_health_with_example_answers(case: str, world: World) -> None:
    seed(world)
    assert Answer.of(world.call("health", example("health", case))).status == 200


def test_openapi_document_is_served_to_anyone(world: World) -> None:
    answer = world.api("GET", "/api/v1/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == openapi.merged()


def test_docs_page_loads_only_what_is_beside_it_and_says_so(world: World) -> None:
    page = world.api("GET", "/api/v1/docs")
    assert page.headers["content-type"].startswith("text/html")
    named = re.findall(r"(?:src|url|href)=\"([^\"]+)\"", page.body)
    assert named == ["data:,", "openapi.json", "docs/redoc.js"]
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"https?:|\*", page.headers["content-security-policy"])


def test_docs_script_is_the_one_the_page_names(world: World) -> None:
    script = world.api("GET", "/api/v1/docs/redoc.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "redoc" in script.body
    assert len(script.body) < 1_500_000


def unpacked(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


def test_docs_as_built_are_read_and_not_made(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publishing.publish(tmp_path)
    monkeypatch.setattr(publishing, "PUBLISHED", tmp_path)
    monkeypatch.setattr(publishing, "made", None)
    publishing.published.cache_clear()
    assert world.api("GET", "/api/v1/openapi.json").json == json.loads(unpacked(tmp_path / "openapi.json.gz"))
    assert world.api("GET", "/api/v1/docs/redoc.js").body == unpacked(tmp_path / "redoc.standalone.js.gz")
    publishing.published.cache_clear()


def test_live_asks_nothing(world: World) -> None:
    with bootstrap.override(store=None, blobs=None, queue=None, embedder=None):
        assert world.api("GET", "/api/v1/health/live").json == {"status": "alive"}


def test_status_tells_strangers_one_word(world: World) -> None:
    answer = world.api("GET", "/api/v1/health")
    assert (answer.status, answer.json) == (200, {"status": "healthy"})


def test_details_name_every_part_with_its_latency(api_client: Client) -> None:
    details = api_client.get("/health/details").json
    assert details["status"] == "healthy"
    assert {part["name"] for part in details["parts"]} == PARTS
    assert all(part["healthy"] and part["detail"] and part["milliseconds"] >= 0 for part in details["parts"])
    assert {queue["name"] for queue in details["queues"]} >= {queue.value for queue in Queue}


class DownBlobs:
    async def ping(self) -> None:
        raise Unavailable("the bucket is gone", code="storage_down")


def test_status_with_a_part_down_is_503(world: World) -> None:
    with bootstrap.override(blobs=DownBlobs()):
        answer = world.api("GET", "/api/v1/health")
    assert (answer.status, answer.json) == (503, {"status": "unhealthy"})


def test_details_with_a_part_down_name_it_and_its_reason(api_client: Client) -> None:
    with bootstrap.override(blobs=DownBlobs()):
        details = api_client.get("/health/details").json
    assert details["status"] == "unhealthy"
    down = [part for part in details["parts"] if not part["healthy"]]
    assert [(part["name"], part["detail"]) for part in down] == [("object_store", "the bucket is gone")]


def test_details_before_migration_say_what_to_run(world: World, api_client: Client) -> None:
    with bootstrap.override(revision="9999"):
        details = api_client.get("/health/details").json
    (down,) = [part for part in details["parts"] if not part["healthy"]]
    assert down["name"] == "migrations"
    assert "run migrate_database" in down["detail"]


def test_details_with_dead_letters_are_unhealthy(world: World, api_client: Client) -> None:
    run(world.queue.send([Outgoing(world.ids.new(), Queue.INGEST_CHUNK, "t", "{}")]))
    for _ in range(6):
        world.clock.advance(60)
        world.queue.receive(Queue.INGEST_CHUNK)
    details = api_client.get("/health/details").json
    (down,) = [part for part in details["parts"] if not part["healthy"]]
    assert (down["name"], down["detail"]) == ("queues", "1 messages in dead-letter queues")
    (dead,) = [queue for queue in details["queues"] if queue["dead"] and queue["waiting"]]
    assert dead["name"] == "ingest_chunk_dead"


def test_details_with_key_that_may_not_is_forbidden(world: World, api_client: Client) -> None:
    assert world.key(api_client, frozenset({Permission.CHATS_READ})).get("/health/details").status == 403
