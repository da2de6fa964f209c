"""Search: what is found, in which order, through which gate."""

from typing import Any

import pytest

from shared import bootstrap
from shared.domain.collections import EmbeddingModel
from shared.domain.errors import Delayed, Unavailable
from tests.functions.examples import seed
from tests.functions.fakes import HookedEmbedder
from tests.functions.gateway import Answer, cases, example
from tests.functions.texts import GARDEN, LEAVE
from tests.functions.world import Client, World


@pytest.mark.parametrize("case", cases("search"))
def test_search_with_example_answers(case: str, world: World) -> None:
    seed(world)
    assert Answer.of(world.call("search", example("search", case))).status == (401 if case == "without_key" else 200)


def test_search_returns_spans_scores_and_times(api_client: Client, collection: str, sample_document: str) -> None:
    answer = api_client.post("/search", {"query": "how many days of paid leave", "collection_ids": [collection]}).json
    best = answer["hits"][0]
    assert "thirty days" in best["text"]
    assert best["text"] == LEAVE[best["start"] : best["end"]]
    assert (best["document_id"], best["version"], best["collection_id"]) == (sample_document, 1, collection)
    assert best["heading_path"] == ["Leave"] or best["text"].startswith("# Leave")
    assert best["score"] >= answer["hits"][-1]["score"]
    assert best["vector_score"] is not None
    assert best["keyword_score"] is not None
    assert (best["tags"], best["metadata"]) == (["hr"], {"year": 2026})
    assert set(answer["milliseconds"]) == {"embed", "vector", "keyword", "gate"}
    assert answer["model"] == "memory/hashed-words"


@pytest.mark.parametrize(("mode", "missing"), [("vector", "keyword_score"), ("keyword", "vector_score")])
def test_search_with_one_leg_leaves_the_other_out(
    mode: str, missing: str, world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    world.embedder.calls.clear()
    hits = api_client.search(collection, "paid leave", mode=mode)
    assert hits
    assert all(hit[missing] is None for hit in hits)
    assert len(world.embedder.calls) == (1 if mode == "vector" else 0)


@pytest.mark.parametrize("fusion", ["convex", "rrf"])
def test_search_fuses_both_ways(fusion: str, api_client: Client, collection: str, sample_document: str) -> None:
    hits = api_client.search(collection, "broken laptop service desk", fusion=fusion, limit=2)
    assert "service desk" in hits[0]["text"]
    assert len(hits) == 2


def test_search_over_several_collections_merges_them(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    other = api_client.collection("Garden")
    garden = api_client.upload(other, GARDEN, "garden.txt")
    world.settle()
    both = {"query": "tomatoes and leave", "collection_ids": [collection, other, collection]}
    found = {hit["document_id"] for hit in api_client.post("/search", both).json["hits"]}
    assert found == {sample_document, garden}
    assert {hit["document_id"] for hit in api_client.search(other, "tomatoes and leave")} == {garden}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"field": "tags", "op": "contains", "value": "hr"}, True),
        ({"field": "tags", "op": "contains", "value": "other"}, False),
        ({"field": "metadata.year", "op": "ge", "value": 2026}, True),
        ({"not": {"field": "metadata.year", "op": "ge", "value": 2026}}, False),
        ({"field": "name", "op": "prefix", "value": "leave"}, True),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
def test_search_with_filter_finds_what_passes(
    mode: str, condition: dict[str, Any], found: bool, api_client: Client, collection: str, sample_document: str
) -> None:
    assert bool(api_client.search(collection, "paid leave", filter=condition, mode=mode)) is found


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"query": " "}, "empty_query"),
        ({"query": "x" * 4001}, "validation_failed"),
        ({"query": "a\0b"}, "validation_failed"),
        ({"collection_ids": []}, "validation_failed"),
        ({"collection_ids": ["x"]}, "validation_failed"),
        ({"collection_ids": ["00000000-0000-7000-8000-000000000001"] * 21}, "validation_failed"),
        ({"limit": 0}, "validation_failed"),
        ({"limit": 101}, "validation_failed"),
        ({"limit": 5.5}, "validation_failed"),
        ({"mode": "magic"}, "validation_failed"),
        ({"vector_weight": 1.1}, "validation_failed"),
        ({"filter": {"field": "x"}}, "invalid_filter"),
        ({"filter": {"field": "name", "op": "eq", "value": None}}, "invalid_filter"),
        ({"filter": []}, "validation_failed"),
    ],
)
def test_search_with_bad_field_is_refused(
    changes: dict[str, Any], code: str, api_client: Client, collection: str
) -> None:
    answer = api_client.post("/search", {"query": "x", "collection_ids": [collection], **changes})
    assert (answer.status, answer.code) == (422, code)


@pytest.mark.parametrize("query", ["?!", "the of and", "日本語", "😀", "' OR 1=1 --", "%s {0} \\", "a" * 4000])
def test_search_with_odd_words_answers(query: str, api_client: Client, collection: str, sample_document: str) -> None:
    assert isinstance(api_client.search(collection, query), list)


def test_search_of_empty_collection_finds_nothing(api_client: Client, collection: str) -> None:
    assert api_client.search(collection, "anything") == []


def test_search_with_one_foreign_collection_among_others_is_not_found(
    world: World, api_client: Client, collection: str
) -> None:
    foreign = world.owner("Other").collection()
    answer = api_client.post("/search", {"query": "x", "collection_ids": [collection, foreign]})
    assert (answer.status, answer.code) == (404, "collection_not_found")


def test_search_of_collection_of_another_model_is_a_conflict_but_by_keyword(
    api_client: Client, collection: str, sample_document: str
) -> None:
    other = HookedEmbedder(EmbeddingModel("memory/other", 384))
    with bootstrap.override(embedder=other):
        body = {"query": "paid leave", "collection_ids": [collection]}
        assert api_client.post("/search", body).code == "model_unavailable"
        assert api_client.search(collection, "paid leave", mode="keyword")


@pytest.mark.parametrize(
    ("error", "code"), [(Delayed("busy", seconds=7), "delayed"), (Unavailable("down"), "unavailable")]
)
def test_search_while_the_model_is_away_is_503(
    error: Any, code: str, world: World, api_client: Client, collection: str
) -> None:
    world.embedder.failures.append(error)
    answer = api_client.post("/search", {"query": "x", "collection_ids": [collection]})
    assert (answer.status, answer.code) == (503, code)
    assert answer.headers.get("retry-after") == ("7" if code == "delayed" else None)


def test_search_counts_its_time(world: World, api_client: Client, collection: str) -> None:
    api_client.search(collection, "x")
    assert len(world.measured("search_ms")) == 1
