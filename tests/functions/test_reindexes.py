"""Reindexes over HTTP: what is stale."""

import pytest

from shared.domain import ingestion
from shared.usecases.documents import upload
from tests.functions.examples import seed
from tests.functions.gateway import Answer, cases, example
from tests.functions.texts import LEAVE
from tests.functions.world import Client, World


@pytest.mark.parametrize("case", cases("reindexes"))
def test_reindexes_with_example_answers(case: str, world: World) -> None:
    seed(world)
    answer = Answer.of(world.call("reindexes", example("reindexes", case)))
    assert answer.status in (200, 202), answer.body


def test_plan_of_a_fresh_collection_needs_nothing(api_client: Client, collection: str, sample_document: str) -> None:
    plan = api_client.get("/reindexes/plan", collection_id=collection).json
    assert (plan["documents"], plan["stale"], plan["reasons"], plan["needed"]) == (1, 0, [], False)
    assert plan["present"] == plan["target"]
    assert plan["tokens"] > 0


def test_plan_counts_each_way_of_being_stale(
    world: World,
    api_client: Client,
    collection: str,
    sample_document: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    api_client.upload(collection, LEAVE + " again", "again.txt")
    world.settle()
    plan = api_client.get("/reindexes/plan", collection_id=collection).json
    assert (plan["documents"], plan["stale"], plan["chunking"], plan["reasons"]) == (2, 1, 1, ["chunking"])
    monkeypatch.setattr(upload, "READER_VERSION", "files/next")
    monkeypatch.setattr(upload, "PIPELINE_VERSION", f"{ingestion.PIPELINE_VERSION} next")
    plan = api_client.get("/reindexes/plan", collection_id=collection).json
    assert (plan["stale"], plan["reader"], plan["pipeline"], plan["model"]) == (2, 2, 2, 0)


def test_plan_leaves_out_what_is_deleted_or_not_searched(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    api_client.upload(collection, b"\xff", "broken.bin")
    api_client.slot(collection, "announced.txt")
    world.settle()
    api_client.delete(f"/documents/{sample_document}")
    plan = api_client.get("/reindexes/plan", collection_id=collection).json
    assert (plan["documents"], plan["chunks"], plan["tokens"]) == (0, 0, 0)


def test_plan_of_another_project_is_not_found(world: World, collection: str) -> None:
    assert world.owner("Other").get("/reindexes/plan", collection_id=collection).status == 404


def test_reindex_concerns_documents_that_whoever_asks_may_not_read(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    assert api_client.put(f"/documents/{sample_document}/access-list", {"readers": []}).status == 200
    assert api_client.get(f"/documents/{sample_document}").status == 404
    assert api_client.get("/reindexes/plan", collection_id=collection).json["documents"] == 1
    begun = api_client.post("/reindexes", {"collection_id": collection}).json
    told = api_client.get(f"/reindexes/{begun['id']}").json
    assert told["progress"]["documents"] == 1
    # Nothing is left out of a cut: it is told that one is missing.
    world.settle()
    assert api_client.post(f"/reindexes/{begun['id']}/promote").json["code"] in ("not_ready", "not_in_step")
