"""Rows and stores are compared both ways: what is too much goes, what is missing is made again."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from shared import bootstrap
from shared.domain.chunks import ChunkId
from shared.domain.errors import Rejected
from shared.domain.ids import time_ordered_id
from shared.ports.blobs import Bucket
from shared.runtime import reconciling
from shared.runtime.invocation import run
from shared.usecases.reconcile import stores
from shared.usecases.reconcile.documents import UPLOAD_GONE, reconcile_document
from tests.functions.fakes import RemoteVectors
from tests.functions.test_deletion import rows
from tests.functions.texts import LEAVE, LEAVE_CHANGED
from tests.functions.world import Client, World

LATER = timedelta(hours=1, seconds=1)


@pytest.fixture
def remote(world: World) -> Iterator[RemoteVectors]:
    vectors = RemoteVectors()
    with bootstrap.override(remote_vectors=vectors):
        yield vectors


def reconcile(world: World, times: int = 1) -> None:
    for _ in range(times):
        run(reconciling.reconcile_some())
        world.settle()


def orphan_objects(world: World, tenant_id: UUID, document_id: UUID) -> None:
    for bucket, folder in stores.FOLDERS:
        key = f"{folder}{tenant_id}/{document_id}/1"
        run(world.blobs.put(bucket, key, b"left behind", content_type="text/plain"))
    world.blobs.notifications.clear()


def all_keys(world: World) -> list[str]:
    return world.blobs.keys(Bucket.UPLOADS) + world.blobs.keys(Bucket.WORK)


def test_objects_without_a_row_are_removed_when_they_are_old_enough(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    other = world.owner("Other")
    before = all_keys(world)
    nobody = UUID(int=77)
    orphan_objects(world, api_client.tenant_id, nobody)
    orphan_objects(world, other.tenant_id, nobody)
    assert len(all_keys(world)) == len(before) + 6
    reconcile(world, 2)
    assert len(all_keys(world)) == len(before) + 6
    world.clock.advance(LATER)
    reconcile(world, 1)
    assert len(all_keys(world)) == len(before) + 3
    reconcile(world, 1)
    assert all_keys(world) == before
    assert api_client.search(collection, "paid leave")


def test_objects_of_a_document_that_was_swept_are_swept_again(
    world: World, api_client: Client, sample_document: str
) -> None:
    api_client.delete(f"/documents/{sample_document}")
    world.settle()
    orphan_objects(world, api_client.tenant_id, UUID(sample_document))
    world.clock.advance(LATER)
    reconcile(world)
    assert all_keys(world) == []
    receipt = api_client.get(f"/documents/{sample_document}/receipt").json
    assert (receipt["complete"], receipt["removed"]["work"]) == (True, 3)


def test_keys_that_are_none_of_ours_are_left_alone(world: World, api_client: Client) -> None:
    run(world.blobs.put(Bucket.WORK, f"extracted/{api_client.tenant_id}/strange/1", b"x", content_type="a/b"))
    world.clock.advance(LATER)
    reconcile(world)
    assert len(world.blobs.keys(Bucket.WORK)) == 1


def test_pages_go_on_where_the_last_run_ended(
    world: World, api_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "PAGE", 2)
    for number in range(1, 8):
        orphan_objects(world, api_client.tenant_id, UUID(int=number))
    world.clock.advance(LATER)
    left = []
    for _ in range(5):
        reconcile(world)
        left.append(len(world.blobs.keys(Bucket.UPLOADS)))
    assert left == [5, 3, 1, 0, 0]


def test_vectors_without_a_row_are_removed_and_of_swept_documents_too(
    remote: RemoteVectors, world: World, api_client: Client, collection: str
) -> None:
    kept = api_client.upload(collection, LEAVE)
    gone = api_client.upload(collection, LEAVE_CHANGED, "gone.txt")
    world.settle()
    ghosts = {key: values for key, values in remote.kept.items() if str(key[1].document_id) == gone}
    api_client.delete(f"/documents/{gone}")
    world.settle()
    expected = dict(remote.kept)
    nobody = ChunkId(time_ordered_id(world.clock.now(), 5), 1, 0)
    remote.kept = {**expected, **ghosts, (UUID(collection), nobody): [1.0]}
    remote.tenants[UUID(collection), nobody] = api_client.tenant_id
    reconcile(world)
    assert len(remote.kept) == len(expected) + len(ghosts) + 1
    world.clock.advance(LATER)
    reconcile(world)
    assert remote.kept == expected
    assert api_client.search(collection, "paid leave")[0]["document_id"] == kept


@pytest.mark.parametrize("store", ["rows", "remote"])
def test_vectors_that_are_gone_are_put_again_from_the_cache(
    store: str, world: World, api_client: Client, collection: str
) -> None:
    remote = RemoteVectors() if store == "remote" else None
    with bootstrap.override(remote_vectors=remote):
        document = api_client.upload(collection, LEAVE)
        world.settle()
        if remote is None:
            for tenant in world.store._tables.rows["vectors"].values():
                tenant.clear()
        else:
            remote.kept.clear()
        reconcile(world)
        assert api_client.search(collection, "paid leave", mode="vector") == []
        world.clock.advance(LATER)
        paid = len(world.embedder.documents_embedded)
        assert run(wrong(world, api_client, document))
        hits = api_client.search(collection, "paid leave", mode="vector", limit=100)
        assert len(hits) == len(api_client.get(f"/documents/{document}/chunks").json)
        assert len(world.embedder.documents_embedded) == paid
        assert not run(wrong(world, api_client, document))


def test_what_a_later_version_left_when_it_failed_is_removed(
    world: World, api_client: Client, collection: str, sample_document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = api_client.post(f"/documents/{sample_document}/versions", {}).json
    world.send(slot, LEAVE_CHANGED)

    async def fail() -> None:
        raise Rejected("the model refuses it", code="refused")

    world.embedder.during_embed = fail
    world.settle()
    assert world.generation(api_client, sample_document, 2).failure is not None
    generations = with_chunks(world)
    assert generations == {1, 2}
    scope, document = world.scope(api_client), UUID(sample_document)

    async def paid_for() -> Sequence[str]:
        # Some of its texts had been embedded before the model refused one.
        async with bootstrap.transaction(scope) as ports:
            hashes = await ports.chunks.hashes(scope, document)
            await ports.cache.put(scope, ports.embedder.model.name, dict.fromkeys(hashes, [0.0] * 4))
            return hashes

    async def forgotten(hashes: Sequence[str]) -> bool:
        async with bootstrap.transaction(scope) as ports:
            return await ports.cache.count_unused(scope, hashes) == 0

    hashes = run(paid_for())
    world.clock.advance(LATER)
    reconcile(world)
    generations = with_chunks(world)
    assert generations == {1}
    assert run(forgotten(hashes))
    assert api_client.search(collection, "paid leave")
    assert api_client.get(f"/documents/{sample_document}").json["version"] == 1


def test_vectors_that_a_worker_wrote_for_a_version_that_failed_are_removed(
    remote: RemoteVectors, world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.settle()
    slot = api_client.post(f"/documents/{document}/versions", {}).json
    world.send(slot, LEAVE_CHANGED)

    async def fail() -> None:
        raise Rejected("the model refuses it", code="refused")

    world.embedder.during_embed = fail
    world.settle()
    served = dict(remote.kept)
    # No transaction of ours tells of them: the worker had lost its lease.
    for (place, id), values in served.items():
        late = (place, ChunkId(id.document_id, 2, id.ordinal))
        remote.kept[late] = values
        remote.tenants[late] = api_client.tenant_id
    reconcile(world)
    assert len(remote.kept) == 2 * len(served)
    world.clock.advance(LATER)
    reconcile(world)
    assert remote.kept == served


def test_what_a_running_reindex_has_made_is_spared(
    world: World, api_client: Client, collection: str, sample_document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = api_client.upload(collection, LEAVE_CHANGED, "other.txt")
    world.settle()
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    started = api_client.post("/reindexes", {"collection_id": collection}).json["id"]
    world.call("reindex", {})
    world.settle()
    shadows = {number for number in with_chunks(world) if number != 1}
    assert shadows
    # Made long ago and not searched yet: it is not what failed, and not what was overtaken.
    for _ in range(3):
        world.clock.advance(LATER)
        reconcile(world)
    assert {number for number in with_chunks(world) if number != 1} == shadows
    assert not run(wrong(world, api_client, sample_document))
    assert not run(wrong(world, api_client, broken))
    world.call("reindex", {})
    assert api_client.post(f"/reindexes/{started}/promote").status == 200
    assert {hit["version"] for hit in api_client.search(collection, "paid leave")} == {2}
    # And what was searched before is kept for the way back.
    world.clock.advance(LATER)
    reconcile(world)
    assert api_client.post(f"/reindexes/{started}/rollback").status == 200
    assert {hit["version"] for hit in api_client.search(collection, "paid leave")} == {1}


def test_file_that_is_gone_is_told_of_once_and_what_is_searched_stays(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    run(world.blobs.delete_prefix(Bucket.UPLOADS, f"{api_client.tenant_id}/{sample_document}/"))
    for _ in range(2):
        assert run(wrong(world, api_client, sample_document))
    assert world.generation(api_client, sample_document).warnings == (UPLOAD_GONE,)
    assert api_client.search(collection, "paid leave")


@pytest.mark.parametrize("too_much", [True, False])
def test_statistics_count_what_is_served_and_nothing_else(
    too_much: bool, world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    before = [hit["score"] for hit in api_client.search(collection, "paid leave", mode="keyword")]
    scope, document, number = world.scope(api_client), UUID(sample_document), 1
    if too_much:
        # A version that came to nothing was counted, as if its publish had been half undone.
        world.send(api_client.post(f"/documents/{sample_document}/versions", {}).json, LEAVE_CHANGED)
        world.embedder.failures.append(Rejected("the model refuses it", code="refused"))
        world.settle()
        number = 2

    async def damage() -> None:
        async with bootstrap.transaction(scope) as ports:
            add, remove = (number, None) if too_much else (None, number)
            await ports.keywords.publish(scope, UUID(collection), document, add=add, remove=remove)

    run(damage())
    assert [hit["score"] for hit in api_client.search(collection, "paid leave", mode="keyword")] != before
    assert run(wrong(world, api_client, sample_document))
    assert [hit["score"] for hit in api_client.search(collection, "paid leave", mode="keyword")] == before
    assert not run(wrong(world, api_client, sample_document))


def test_totals_that_do_not_add_up_are_counted_again(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    other = api_client.upload(collection, LEAVE_CHANGED, "other.txt")
    world.settle()
    scope = world.scope(api_client)

    async def damage() -> None:
        async with bootstrap.transaction(scope) as ports:
            await ports.keywords.discard(scope, UUID(collection), UUID(other))

    run(damage())
    world.sweep()
    # Of the index first, of the document then.
    assert world.measured("statistics_wrong") == [1.0, 1.0]

    async def miscounted() -> int:
        async with bootstrap.transaction(scope) as ports:
            return await ports.keywords.recount(scope)

    assert run(miscounted()) == 0


def test_vectors_kept_for_texts_that_nobody_has_are_forgotten(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    scope = world.scope(api_client)

    async def cached(put: bool) -> list[str]:
        async with bootstrap.transaction(scope) as ports:
            if put:
                await ports.cache.put(scope, "memory/bag-of-words", {"0" * 64: [1.0], "f" * 64: [1.0]})
            return list(await ports.cache.listed(scope, "", 1000))

    before = run(cached(put=False))
    assert len(run(cached(put=True))) == len(before) + 2
    reconcile(world)
    assert run(cached(put=False)) == before


def test_tenants_take_turns(world: World, api_client: Client) -> None:
    clients = sorted([api_client, world.owner("B"), world.owner("C")], key=lambda one: one.tenant_id)
    seen = []
    for _ in range(4):
        reconcile(world)
        seen.append(run(place()))
    assert seen == [str(clients[number].tenant_id) for number in (0, 1, 2, 0)]


def with_chunks(world: World) -> set[object]:
    kept = world.store._tables.rows["chunks"].values()
    return {key[1] for tenant in kept for key, chunks in tenant.items() if chunks}


async def wrong(world: World, client: Client, document: str) -> bool:
    scope = world.scope(client)
    async with bootstrap.transaction(scope) as ports:
        return await reconcile_document(scope, ports, UUID(document))


async def place() -> str:
    async with bootstrap.transaction(None) as ports:
        return await ports.cursors.get(reconciling.TURN)


def test_schedule_reconciles(world: World, api_client: Client, sample_document: str) -> None:
    orphan_objects(world, api_client.tenant_id, UUID(int=9))
    world.clock.advance(LATER)
    world.sweep()
    assert not [key for key in all_keys(world) if str(UUID(int=9)) in key]
    assert rows(world, "documents")
