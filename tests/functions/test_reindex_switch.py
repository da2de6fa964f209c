"""From one embedding model to another of other dimensions and back, on every store, searched all the while."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest

from shared import bootstrap
from shared.adapters.memory.embedder import MemoryEmbedder
from shared.adapters.memory.indexes import MemoryIndexes
from shared.adapters.postgres.indexes import PgIndexes
from shared.adapters.postgres.store import PgStore
from shared.bootstrap import OpenPorts, RowsWithVectors, Store
from shared.domain.collections import EmbeddingModel
from shared.domain.documents import GenerationState
from shared.domain.errors import Conflict, LambentError, Rejected, Unavailable
from shared.domain.events import Queue
from shared.domain.indexes import HOLD, REST, Index, IndexState
from shared.domain.search import SearchMode, SearchQuery, SearchResult
from shared.domain.tenants import Permission, Scope, TenantScope
from shared.ports.ports import Ports
from shared.runtime import reindexing, searching
from shared.runtime.auth import Caller
from shared.runtime.invocation import run
from shared.usecases.reindexes import build, cut, start
from tests.functions.gateway import example
from tests.functions.world import Client, World

SMALL = EmbeddingModel("memory/hashed-words", 384, 256)
LARGE = EmbeddingModel("memory/large", 96, 256)
TEXTS = {f"{name}.txt": f"# {name}\n\nThe ferry to {name} leaves at dawn.\n\nTickets for {name} are sold on board." for
         name in ("Arran", "Bute", "Coll", "Islay")}  # fmt: skip


class Probed:
    """A store that lets something happen before and after every transaction of others."""

    def __init__(self, store: Store, other: Store) -> None:
        self.store = store
        self.other = other
        """Another way into the same database."""
        self.between: Callable[[], Awaitable[None]] | None = None

    async def _happen(self) -> None:
        hook, self.between = self.between, None
        if hook is not None:
            await hook()
            self.between = hook

    @asynccontextmanager
    async def transaction(self, scope: TenantScope | None) -> AsyncIterator[RowsWithVectors]:
        """A transaction of the store."""
        await self._happen()
        async with self.store.transaction(scope) as rows:
            yield rows
        await self._happen()


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A deployment that has both models, the small one at present."""
    made = World()
    if request.param == "postgres":
        made.store = Probed(*(request.getfixturevalue("open_store")() for _ in range(2)))  # type: ignore[assignment]
    else:
        made.store = Probed(made.store, made.store)  # type: ignore[assignment]
    other = MemoryEmbedder(LARGE)
    with made.active(), bootstrap.override(other_embedders={LARGE.name: lambda: other}):
        yield made


@pytest.fixture
def api_client(world: World) -> Client:
    """The owner of a new tenant."""
    return world.owner()


@pytest.fixture
def collection(world: World, api_client: Client) -> str:
    """A collection with four documents that are searched."""
    made = api_client.collection(chunking={"method": "structure", "size": 20})
    for name, text in TEXTS.items():
        api_client.upload(made, text, name, path=name)
    world.settle()
    return made


def schedule(world: World) -> None:
    """The schedule, a minute later, and what it queued."""
    world.clock.advance(60)
    world.call("reindex", example("reindex", "schedule"))
    world.settle()


def begin(client: Client, collection: str, **fields: Any) -> str:
    """Start a reindex with the large model; returns its id."""
    answer = client.post("/reindexes", {"collection_id": collection, "model": LARGE.name, **fields})
    assert answer.status == 202, answer.body
    return str(answer.json["id"])


def built(world: World, client: Client, collection: str, **fields: Any) -> str:
    """The same, until it is ready."""
    made = begin(client, collection, **fields)
    for _ in range(4):
        schedule(world)
    assert client.get(f"/reindexes/{made}").json["state"] == "ready", client.get(f"/reindexes/{made}").body
    return made


def found(client: Client, collection: str, mode: str = "hybrid") -> set[str]:
    """Names of the documents that a search for all of them finds."""
    return {hit["document_name"] for hit in client.search(collection, "ferry tickets", limit=50, mode=mode)}


def states(client: Client, collection: str) -> list[str]:
    """States of the indexes, newest first."""
    return [one["state"] for one in client.get("/reindexes", collection_id=collection).json["items"]]


def caller_of(world: World, client: Client) -> Caller:
    """Who may search and cut over."""
    permissions = frozenset(
        {Permission.SEARCH_QUERY, Permission.COLLECTIONS_WRITE, Permission.DOCUMENTS_PROCESS, Permission.DOCUMENTS_READ}
    )
    return Caller(replace(world.scope(client), permissions=permissions), bootstrap.powers())


class Searcher:
    """Searches whenever it is told to, and looks at every answer."""

    def __init__(self, world: World, client: Client, collection: str) -> None:
        self.caller = caller_of(world, client)
        self.collection_id = UUID(collection)
        self.expected: set[str] = set(TEXTS)
        self.models: list[str] = []
        self.turn = 0

    async def __call__(self) -> None:
        """One search: by both legs, by one, by the other, in turn."""
        self.turn += 1
        mode = list(SearchMode)[self.turn % 3]
        query = SearchQuery("ferry tickets", (self.collection_id,), limit=50, mode=mode)
        result = await searching.search(self.caller, query)
        self.models.append(result.model)
        assert {hit.source.document_name for hit in result.hits} == self.expected
        await self.one_index(result)

    async def one_index(self, result: SearchResult) -> None:
        """Every hit is of the same index."""
        indexes = set()
        async with self.caller.transaction() as ports:
            for hit in result.hits:
                id = hit.source.chunk.id
                made = await ports.documents.generation(self.caller.scope, id.document_id, id.generation)
                indexes.add(made.index if made else "none")
        assert len(indexes) == 1


def test_search_all_the_while_is_whole_and_of_one_index(world: World, api_client: Client, collection: str) -> None:
    """Between any two transactions of building, scoring, cutting, rolling back and dropping, a search."""
    searcher = Searcher(world, api_client, collection)
    probed: Any = world.store
    probed.between = searcher
    made = built(world, api_client, collection)
    assert api_client.post(f"/reindexes/{made}/promote").json["state"] == "live"
    assert found(api_client, collection, "vector") == set(TEXTS)
    assert set(searcher.models) == {SMALL.name, LARGE.name}
    assert api_client.post(f"/reindexes/{made}/rollback").json["state"] == "retired"
    schedule(world)
    assert states(api_client, collection) == ["retired", "live"]
    world.clock.advance(8 * 86_400)
    for _ in range(3):
        schedule(world)
    probed.between = None
    assert states(api_client, collection) == ["dropped", "live"]
    assert searcher.models[-1] == SMALL.name
    assert searcher.turn > 100
    assert found(api_client, collection) == set(TEXTS)


@pytest.mark.parametrize("at", ["get_many", "query", "visible"])
def test_search_that_a_cut_comes_into_sees_one_index(
    at: str, world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cut over and back after each statement of a search: the index it began with is the index it ends with."""
    made = UUID(built(world, api_client, collection))
    searcher = Searcher(world, api_client, collection)
    probed: Any = world.store
    caller, moves = searcher.caller, [cut.promote, cut.rollback]

    async def move() -> None:
        # A process has one connection, which the search holds.
        async with probed.other.transaction(caller.scope) as rows:
            await moves[0](caller.scope, cast(Ports, OpenPorts(rows, bootstrap.kit())), made)
        moves.reverse()

    def hooked(name: str, part: Any) -> Any:
        real = getattr(part, name, None)
        if real is None or name != at:
            return real

        async def wrapped(*given: Any, **named: Any) -> Any:
            answer = await real(*given, **named)
            await move()
            return answer

        return wrapped

    class Hooked:
        def __init__(self, part: Any) -> None:
            self.part = part

        def __getattr__(self, name: str) -> Any:
            return hooked(name, self.part)

    plain = OpenPorts.__getattr__

    def opened(self: OpenPorts, name: str) -> Any:
        part = plain(self, name)
        if name in ("collections", "vectors", "keywords", "chunks") and armed:
            part = Hooked(part)
            setattr(self, name, part)
        return part

    monkeypatch.setattr(OpenPorts, "__getattr__", opened)
    armed = False
    for _ in range(6):
        armed = True
        run(_only_search(searcher))
        armed = False
    assert found(api_client, collection) == set(TEXTS)


async def _only_search(searcher: Searcher) -> None:
    await searcher()


def test_uploads_and_deletes_meanwhile_are_in_both(world: World, api_client: Client, collection: str) -> None:
    made = begin(api_client, collection)
    api_client.upload(collection, "The ferry to Jura.\n\nTickets, too.", "Jura.txt")
    api_client.upload(collection, "The ferry to Bute is late.\n\nTickets.", "Bute.txt", path="Bute.txt")
    gone = next(one for one in api_client.get("/documents", collection_id=collection).json["items"]
                if one["name"] == "Coll.txt")  # fmt: skip
    api_client.delete(f"/documents/{gone['id']}")
    expected = {*TEXTS, "Jura.txt"} - {"Coll.txt"}
    world.settle()
    for _ in range(4):
        schedule(world)
    assert found(api_client, collection) == expected
    assert api_client.post(f"/reindexes/{made}/promote").json["state"] == "live"
    assert found(api_client, collection) == found(api_client, collection, "vector") == expected
    texts = [hit["text"] for hit in api_client.search(collection, "Bute late", limit=50)]
    assert any("late" in text for text in texts)
    assert not any("leaves at dawn" in text and "Bute" in text for text in texts)
    assert api_client.get(f"/documents/{gone['id']}/receipt").json["complete"] is True
    # After the cut both are kept in step, so that a rollback loses nothing.
    late = api_client.upload(collection, "The ferry to Mull.\n\nTickets.", "Mull.txt")
    world.settle()
    schedule(world)
    api_client.delete(f"/documents/{late}")
    later = api_client.upload(collection, "The ferry to Tiree.\n\nTickets.", "Tiree.txt")
    world.settle()
    schedule(world)
    assert api_client.post(f"/reindexes/{made}/rollback").json["state"] == "retired"
    assert found(api_client, collection) == expected | {"Tiree.txt"}
    assert api_client.get(f"/documents/{later}").json["status"] == "indexed"


def test_document_that_fails_in_the_new_index_alone_leaves_the_choice_to_the_operator(
    world: World, api_client: Client, collection: str
) -> None:
    made = begin(api_client, collection)
    large = cast(MemoryEmbedder, bootstrap.powers().embedders.of(LARGE.name))
    large.failures.append(Rejected("the model refuses it", code="model_rejected"))
    schedule(world)
    world.settle()
    schedule(world)
    status = api_client.get(f"/reindexes/{made}").json
    assert (status["state"], status["progress"]["failed"]) == ("ready", 1)
    assert status["problem"].startswith(f"1 of {len(TEXTS)} searched documents failed in it")
    refused = api_client.post(f"/reindexes/{made}/promote")
    assert (refused.status, refused.code) == (409, "not_in_step")
    assert found(api_client, collection) == set(TEXTS)
    promoted = api_client("POST", f"/reindexes/{made}/promote", query={"despite_failures": "true"})
    assert promoted.json["state"] == "live"
    (missing,) = set(TEXTS) - found(api_client, collection)
    statuses = {one["name"]: one for one in api_client.get("/documents", collection_id=collection).json["items"]}
    assert {name for name, one in statuses.items() if one["status"] == "failed"} == {missing}
    assert "the model refuses it" in api_client.get(f"/documents/{statuses[missing]['id']}/why").json["summary"]
    # Back, it is found again; forth, and retried, it is too.
    assert api_client.post(f"/reindexes/{made}/rollback").json["state"] == "retired"
    assert found(api_client, collection) == set(TEXTS)
    assert api_client.get(f"/documents/{statuses[missing]['id']}").json["status"] == "indexed"
    assert api_client("POST", f"/reindexes/{made}/promote", query={"despite_failures": "true"}).status == 200
    assert api_client.post(f"/documents/{statuses[missing]['id']}/retry").status == 202
    world.settle()
    assert found(api_client, collection) == set(TEXTS)
    assert api_client.get(f"/documents/{statuses[missing]['id']}").json["status"] == "indexed"


def test_promote_despite_failures_waits_for_what_is_on_its_way(
    world: World, api_client: Client, collection: str
) -> None:
    made = built(world, api_client, collection)
    api_client.upload(collection, "The ferry to Eigg.\n\nTickets.", "Eigg.txt")
    world.settle()
    asked = api_client("POST", f"/reindexes/{made}/promote", query={"despite_failures": "true"})
    assert (asked.status, asked.json["state"]) == (200, "ready")
    world.settle()
    asked = api_client("POST", f"/reindexes/{made}/promote", query={"despite_failures": "true"})
    assert asked.json["state"] == "live"


def test_upload_on_its_way_when_the_cut_comes_is_found_after_it(
    world: World, api_client: Client, collection: str
) -> None:
    made = built(world, api_client, collection)
    late = api_client.upload(collection, "The ferry to Rum.\n\nTickets.", "Rum.txt")
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()
    world.deliver(Queue.INGEST_CHUNK)
    assert api_client.post(f"/reindexes/{made}/promote").json["state"] == "live"
    world.settle()
    assert found(api_client, collection) == set(TEXTS)
    assert api_client.get(f"/documents/{late}").json["status"] == "processing"
    schedule(world)
    assert found(api_client, collection) == found(api_client, collection, "vector") == {*TEXTS, "Rum.txt"}
    assert api_client.get(f"/documents/{late}").json["status"] == "indexed"


def test_everything_twice_is_once_and_wrong_states_are_refused(
    world: World, api_client: Client, collection: str
) -> None:
    made = begin(api_client, collection)
    assert api_client.post("/reindexes", {"collection_id": collection}).code == "reindex_running"
    refused = api_client.post(f"/reindexes/{made}/promote")
    assert (refused.status, refused.code) == (409, "not_ready")
    for _ in range(4):
        schedule(world)
        schedule(world)
    assert world.measured("documents_indexed") == [1.0] * len(TEXTS)
    first = api_client.post(f"/reindexes/{made}/promote").json
    assert api_client.post(f"/reindexes/{made}/promote").json == first
    assert api_client.post("/reindexes", {"collection_id": collection}).code == "previous_index_kept"
    again = api_client.post(f"/reindexes/{made}/rollback").json
    assert api_client.post(f"/reindexes/{made}/rollback").json == again
    assert api_client.post(f"/reindexes/{collection}/rollback").code == "nothing_kept"
    assert found(api_client, collection) == set(TEXTS)
    second = begin(api_client, collection, discard_previous=True)
    assert states(api_client, collection) == ["building", "dropping", "live"]
    for _ in range(4):
        schedule(world)
    assert states(api_client, collection) == ["ready", "dropped", "live"]
    assert counted(world, api_client, made) == 0
    assert api_client.post(f"/reindexes/{second}/promote").json["state"] == "live"
    assert found(api_client, collection, "vector") == set(TEXTS)
    assert api_client.post(f"/reindexes/{made}/promote").code == "not_ready"


def test_promote_of_an_index_whose_model_is_gone_is_refused_and_search_of_one_says_so(
    world: World, api_client: Client, collection: str
) -> None:
    made = built(world, api_client, collection)
    with bootstrap.override(other_embedders={}):
        assert api_client.post(f"/reindexes/{made}/promote").code == "model_unavailable"
        assert api_client.post("/reindexes", {"collection_id": collection, "model": "no/such"}).status == 409
    assert api_client.post(f"/reindexes/{made}/promote").status == 200
    with bootstrap.override(other_embedders={}):
        answer = api_client.post("/search", {"query": "ferry", "collection_ids": [collection]})
        assert (answer.status, answer.code) == (409, "model_unavailable")
        assert found(api_client, collection, "keyword") == set(TEXTS)


def test_search_over_collections_of_two_models_finds_in_both(world: World, api_client: Client, collection: str) -> None:
    other = api_client.collection("Other")
    api_client.upload(other, "The ferry to Eigg.\n\nTickets.", "Eigg.txt")
    world.settle()
    api_client.post(f"/reindexes/{built(world, api_client, collection)}/promote")
    answer = api_client.post("/search", {"query": "ferry tickets", "collection_ids": [collection, other], "limit": 50})
    assert {hit["document_name"] for hit in answer.json["hits"]} == {*TEXTS, "Eigg.txt"}
    assert answer.json["model"] == f"{SMALL.name}, {LARGE.name}"


@pytest.mark.parametrize("step", ["build", "promote", "rollback"])
def test_crash_at_the_end_of_a_step_leaves_what_was(
    step: str, world: World, api_client: Client, collection: str
) -> None:
    """The transaction dies before its commit: nothing of it is there, and doing it again does it once."""
    made = begin(api_client, collection) if step == "build" else built(world, api_client, collection)
    if step == "rollback":
        api_client.post(f"/reindexes/{made}/promote")
    before = states(api_client, collection)
    caller = caller_of(world, api_client)
    steps: dict[str, Callable[[Scope, Ports, UUID], Awaitable[object]]] = {
        "build": build.build,
        "promote": cut.promote,
        "rollback": cut.rollback,
    }

    async def crash() -> None:
        async with caller.transaction() as ports:
            await steps[step](caller.scope, ports, UUID(made))
            raise Unavailable("the process died")

    with pytest.raises(LambentError, match="died"):
        run(crash())
    assert states(api_client, collection) == before
    assert found(api_client, collection, "vector") == set(TEXTS)
    for _ in range(4):
        schedule(world)
    if step != "build":
        assert api_client.post(f"/reindexes/{made}/{step}").status == 200
    assert found(api_client, collection, "vector") == set(TEXTS)


def test_starts_at_once_make_one(world: World, api_client: Client, collection: str) -> None:
    caller = caller_of(world, api_client)

    async def one() -> str:
        try:
            async with caller.transaction() as ports:
                await start.start(caller.scope, ports, start.NewReindex(UUID(collection), model=LARGE.name))
        except Conflict as error:
            return error.code
        return "started"

    async def both() -> list[str]:
        import asyncio

        return sorted(await asyncio.gather(one(), one(), one()))

    assert run(both()) == ["reindex_running", "reindex_running", "started"]
    assert states(api_client, collection) == ["building", "live"]


def test_process_waits_for_an_upload_from_before_the_reindex(world: World, api_client: Client, collection: str) -> None:
    document = api_client.get("/documents").json["items"][0]["id"]
    world.send(
        api_client.post(f"/documents/{document}/versions", {}).json, "Another text altogether, and not yet read."
    )
    world.notify()
    begin(api_client, collection)
    for queue in (Queue.INGEST_CHUNK, Queue.INGEST_EMBED, Queue.INGEST_PUBLISH):
        world.deliver(queue)
    # The latest version, made for the new index, has ended; the upload before it has not.
    assert api_client.post(f"/documents/{document}/process").code == "still_processing"
    world.settle()
    assert api_client.post(f"/documents/{document}/process").status == 202


def test_process_waits_for_an_upload_that_was_announced_before_the_reindex(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.get("/documents").json["items"][0]["id"]
    announced = api_client.post(f"/documents/{document}/versions", {}).json
    built(world, api_client, collection)
    # The version made for the new index is the latest; what is announced would be overtaken by the file before it.
    assert api_client.post(f"/documents/{document}/process").code == "still_processing"
    world.send(announced, "Puffins nest on the cliffs in May.")
    world.settle()
    assert api_client.post(f"/documents/{document}/process").status == 202
    world.settle()
    assert "Puffins" in api_client.get(f"/documents/{document}/text").json["text"]


def counted(world: World, client: Client, index: str) -> int:
    """Rows about words that an index has, of all documents."""

    documents = [UUID(one["id"]) for one in client.get("/documents").json["items"]]

    async def asked() -> int:
        scope = world.scope(client)
        async with bootstrap.transaction(scope) as ports:
            return sum([await ports.keywords.count(scope, UUID(index), one) for one in documents])

    return run(asked())


def test_rollback_before_the_cut_gives_up_and_leaves_nothing(world: World, api_client: Client, collection: str) -> None:
    made = begin(api_client, collection)
    world.deliver(Queue.INGEST_CHUNK)
    assert api_client.post(f"/reindexes/{made}/rollback").json["state"] == "dropping"
    for _ in range(3):
        schedule(world)
    assert states(api_client, collection) == ["dropped", "live"]

    async def left() -> int:
        scope = world.scope(api_client)
        async with bootstrap.transaction(scope) as ports:
            index = await ports.indexes.get(scope, UUID(made))
            assert index is not None
            assert index.state is IndexState.DROPPED
            return len(await ports.indexes.remains(scope, index, 10)) + await ports.indexes.under_way(scope, index)

    assert run(left()) == 0
    assert found(api_client, collection) == set(TEXTS)


def test_rollback_before_the_cut_stops_what_is_under_way(world: World, api_client: Client, collection: str) -> None:
    made = begin(api_client, collection)

    async def under_way() -> int:
        scope = world.scope(api_client)
        async with bootstrap.transaction(scope) as ports:
            index = await ports.indexes.get(scope, UUID(made))
            assert index is not None
            return await ports.indexes.under_way(scope, index)

    assert run(under_way()) == len(TEXTS)
    api_client.post(f"/reindexes/{made}/rollback")
    world.clock.advance(60)
    # No queue is worked off: what would be done for the index ends by itself.
    world.call("reindex", example("reindex", "schedule"))
    assert run(under_way()) == 0


def test_budget_of_documents_a_day_spreads_the_building(world: World, api_client: Client, collection: str) -> None:
    made = begin(api_client, collection, budget={"documents_per_day": 3})
    for _ in range(3):
        schedule(world)
    about = api_client.get(f"/reindexes/{made}").json
    assert (about["progress"]["in_step"], about["spent"]["documents"]) == (3, 3)
    world.clock.advance(86_400)
    for _ in range(3):
        schedule(world)
    assert api_client.get(f"/reindexes/{made}").json["state"] == "ready"


def test_budget_of_tokens_or_money_begins_no_more_than_it_pays_for(
    world: World, api_client: Client, collection: str
) -> None:
    plan = api_client.get("/reindexes/plan", collection_id=collection).json
    each = plan["tokens"] // len(TEXTS)
    made = begin(api_client, collection, budget={"money_per_day": 2.2 * each / 1e6, "price": 1.0})
    schedule(world)
    assert api_client.get(f"/reindexes/{made}").json["spent"]["documents"] == 2
    assert api_client.post("/reindexes", {"collection_id": collection, "budget": {"money_per_day": 1}}).status == 422


def test_build_yields_to_what_is_being_uploaded(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "YIELD_FROM", 1)
    api_client.upload(collection, "The ferry to Rum.", "Rum.txt")
    world.notify()
    made = begin(api_client, collection)
    assert api_client.get(f"/reindexes/{made}").json["progress"]["in_flight"] == 0
    world.settle()
    schedule(world)
    assert api_client.get(f"/reindexes/{made}").json["progress"]["in_step"] > 0


def test_scores_come_from_the_collections_own_questions(world: World, api_client: Client, collection: str) -> None:
    documents = {one["name"]: one["id"] for one in api_client.get("/documents", collection_id=collection).json["items"]}
    asked = [{"text": f"Where to in {name[:-4]}?", "expected": [{"document_id": id}]} for name, id in documents.items()]
    assert api_client("PUT", "/reindexes/questions", {"collection_id": collection, "questions": asked}).status == 200
    assert len(api_client.get("/reindexes/questions", collection_id=collection).json["questions"]) == len(TEXTS)
    scores = api_client.get(f"/reindexes/{built(world, api_client, collection)}").json["scores"]
    assert (scores["questions"], scores["generated"]) == (len(TEXTS), False)
    assert scores["new"]["recall"] == scores["old"]["recall"] == 1.0
    assert 0 < scores["new"]["ndcg"] <= 1
    wrong = [{"text": "?", "expected": [{"document_id": str(UUID(int=5))}]}]
    assert api_client("PUT", "/reindexes/questions", {"collection_id": collection, "questions": wrong}).status == 404


def test_automatic_switch_of_the_present_model_goes_by_itself(
    world: World, api_client: Client, collection: str
) -> None:
    small = world.embedder
    world.clock.advance(reindexing.ROUND_SECONDS)
    with bootstrap.override(embedder=MemoryEmbedder(LARGE), other_embedders={SMALL.name: lambda: small}):
        assert found(api_client, collection, "vector") == set(TEXTS)
        for _ in range(5):
            schedule(world)
            assert found(api_client, collection, "vector") == set(TEXTS)
        assert states(api_client, collection) == ["live", "retired"]
        assert api_client.get(f"/collections/{collection}").json["model"] == {"name": LARGE.name, "dimensions": 96}


def test_retry_takes_up_an_upload_that_failed_before_an_older_one_was_made_for_the_new_index(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.get("/documents", collection_id=collection).json["items"][0]["id"]
    world.reader.failures.append(Rejected("the reader stopped", code="parser_timeout"))
    name = api_client.get(f"/documents/{document}").json["name"]
    assert api_client.upload(collection, f"{TEXTS[name]} Newer.", name, path=name) == document
    world.settle()
    assert world.generation(api_client, document, 2).state is GenerationState.FAILED
    begin(api_client, collection)
    for _ in range(2):
        schedule(world)
    assert world.generation(api_client, document, 3).state is GenerationState.COMMITTED
    why = api_client.get(f"/documents/{document}/why").json
    assert (why["retryable"], "version 2: failed" in why["summary"], "retry it" in why["next"]) == (True, True, True)
    answer = api_client.post(f"/documents/{document}/retry")
    assert (answer.status, answer.json["version"]) == (202, 4)
    assert world.generation(api_client, document, 4).upload == 2
    world.settle()
    assert api_client.post(f"/documents/{document}/retry").json["version"] == 4
    assert api_client.get(f"/documents/{document}/why").json["retryable"] is False


def test_index_that_finds_less_is_told_so_once(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[str] = []
    for adapter in (MemoryIndexes, PgIndexes):
        monkeypatch.setattr(adapter, "save", counting(adapter.save, saved))
    monkeypatch.setattr(reindexing, "no_worse", lambda scores: False)
    small = world.embedder
    world.clock.advance(reindexing.ROUND_SECONDS)
    with bootstrap.override(embedder=MemoryEmbedder(LARGE), other_embedders={SMALL.name: lambda: small}):
        for _ in range(5):
            schedule(world)
        assert states(api_client, collection) == ["ready", "live"]
        del saved[:]
        for _ in range(3):
            schedule(world)
    assert saved == []


def counting(save: Callable[..., Awaitable[None]], saved: list[str]) -> Callable[..., Awaitable[None]]:
    """The same, and it is noted each time."""

    async def noted(self: object, scope: Scope, index: Index) -> None:
        saved.append(index.problem)
        await save(self, scope, index)

    return noted


class Stream:
    """Somebody who uploads without a pause: whenever anything else happens, one more document has been published."""

    def __init__(self, world: World, client: Client, collection: str) -> None:
        self.world, self.client, self.collection = world, client, collection
        self.names: set[str] = set()

    def __call__(self, seconds: float = 0) -> None:
        """One more, and so much time passes."""
        name = f"Isle {len(self.names)}.txt"
        self.names.add(name)
        self.client.upload(self.collection, f"The ferry to {name} has tickets.", name)
        self.world.settle()
        self.world.clock.advance(seconds)
        self.world.settle()


def test_uploads_without_a_pause_keep_neither_the_cut_nor_the_way_back_from_coming(
    world: World, api_client: Client, collection: str
) -> None:
    made = begin(api_client, collection)
    stream = Stream(world, api_client, collection)
    for _ in range(6):
        stream(60)
        world.call("reindex", example("reindex", "schedule"))
    assert states(api_client, collection) == ["ready", "live"]
    stream(60)
    for step, wanted in (("promote", "live"), ("rollback", "retired")):
        state = ""
        for _ in range(4):
            stream(6)
            state = state if state == wanted else api_client.post(f"/reindexes/{made}/{step}").json["state"]
        assert state == wanted
        for _ in range(2):
            world.clock.advance(6)
            schedule(world)
        assert found(api_client, collection) == {*TEXTS, *stream.names}
    assert {one["status"] for one in api_client.get("/documents", limit="100").json["items"]} == {"indexed"}


def test_automatic_reindex_takes_over_while_uploads_come_without_a_pause(
    world: World, api_client: Client, collection: str
) -> None:
    begin(api_client, collection, automatic=True)
    stream = Stream(world, api_client, collection)
    for _ in range(8):
        stream(60)
        world.call("reindex", example("reindex", "schedule"))
    assert states(api_client, collection) == ["live", "retired"]


def test_upload_that_waits_for_a_cut_says_so_and_is_published_when_nobody_cuts(
    world: World, api_client: Client, collection: str
) -> None:
    made = built(world, api_client, collection)
    api_client.upload(collection, "The ferry to Eigg.\n\nTickets.", "Eigg.txt")
    world.settle()
    assert api_client.post(f"/reindexes/{made}/promote").json["state"] == "ready"
    late = api_client.upload(collection, "The ferry to Rum.\n\nTickets.", "Rum.txt")
    for _ in range(3):
        world.settle()
        world.clock.advance(6)
    waiting = world.generation(api_client, late)
    assert (waiting.state, waiting.attempts) == (GenerationState.PUBLISHING, 0)
    assert "another index" in api_client.get(f"/documents/{late}/why").json["summary"]
    # Whoever asked is gone. What was told to wait comes back by itself.
    run(released(world, api_client, collection))
    world.pass_time(6)
    assert found(api_client, collection) == {*TEXTS, "Eigg.txt", "Rum.txt"}


async def released(world: World, client: Client, collection: str) -> None:
    """The hold ends, as it does by itself when its time is up."""
    scope = world.scope(client)
    async with bootstrap.transaction(scope) as ports:
        await ports.collections.release(scope, UUID(collection))


def test_promote_that_waited_in_vain_is_refused_until_publishing_had_its_turn(
    world: World, api_client: Client, collection: str
) -> None:
    if isinstance(cast(Any, world.store).store, PgStore):
        pytest.skip("a database of its own time: tests/contracts/test_holds.py")
    made = built(world, api_client, collection)
    late = api_client.upload(collection, "The ferry to Eigg.\n\nTickets.", "Eigg.txt")
    world.settle()
    assert api_client.post(f"/reindexes/{made}/promote").json["state"] == "ready"
    world.clock.advance(HOLD)
    refused = api_client.post(f"/reindexes/{made}/promote")
    assert (refused.code, "in vain" in refused.json["hint"]) == ("not_in_step", True)
    world.clock.advance(REST)
    assert api_client.post(f"/reindexes/{made}/promote").json["state"] == "ready"
    world.settle()
    assert api_client.post(f"/reindexes/{made}/promote").json["state"] == "live"
    assert api_client.get(f"/documents/{late}").json["status"] == "indexed"


def test_promote_with_its_budget_used_up_holds_nobody(world: World, api_client: Client, collection: str) -> None:
    made = built(world, api_client, collection, budget={"documents_per_day": len(TEXTS)})
    api_client.upload(collection, "The ferry to Eigg.\n\nTickets.", "Eigg.txt")
    world.settle()
    refused = api_client.post(f"/reindexes/{made}/promote")
    assert (refused.code, "budget" in refused.json["hint"]) == ("not_in_step", True)
    api_client.upload(collection, "The ferry to Rum.\n\nTickets.", "Rum.txt")
    world.settle()
    assert found(api_client, collection) == {*TEXTS, "Eigg.txt", "Rum.txt"}
