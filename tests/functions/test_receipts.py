"""Receipts: signed, listed, complete only when every store was asked late enough."""

from datetime import timedelta

import pytest

from shared import bootstrap
from shared.domain import ed25519
from shared.domain.errors import Unavailable
from shared.domain.receipts import SubjectKind, canonical
from tests.functions.examples import seed
from tests.functions.fakes import RemoteVectors
from tests.functions.gateway import Answer, cases, example
from tests.functions.texts import LEAVE
from tests.functions.world import Client, World


@pytest.mark.parametrize("case", cases("receipts"))
def test_receipts_with_example_answers(case: str, world: World) -> None:
    seed(world)
    answer = Answer.of(world.call("receipts", example("receipts", case)))
    assert answer.status == 200, answer.body


def verified(receipt: dict[str, object], key: str) -> bool:
    signature, said = receipt["signature"], receipt["statement"]
    assert isinstance(signature, dict)
    assert isinstance(said, dict)
    assert signature["public_key"] == key
    return ed25519.verifies(bytes.fromhex(key), canonical(said), bytes.fromhex(signature["value"]))


def test_receipt_is_signed_when_it_is_complete_and_verifies_without_asking(
    world: World, api_client: Client, sample_document: str
) -> None:
    asked = api_client.delete(f"/documents/{sample_document}").json
    assert (asked["complete"], asked["signature"]) == (False, None)
    world.settle()
    receipt = api_client.get(f"/receipts/{asked['id']}").json
    key = world.api("GET", "/api/v1/receipts/key").json["public_key"]
    assert receipt["complete"]
    assert verified(receipt, key)
    assert receipt["statement"]["subject_id"] == sample_document
    assert receipt["statement"]["remaining"] == receipt["remaining"]
    assert api_client.get(f"/documents/{sample_document}/receipt").json == receipt
    receipt["statement"]["remaining"]["vectors"] = 1
    assert not verified(receipt, key)


def test_receipt_of_a_collection_is_signed_with_its_totals(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    asked = api_client.delete(f"/collections/{collection}").json
    world.finish_deleting()
    receipt = api_client.get(f"/receipts/{asked['id']}").json
    assert verified(receipt, world.api("GET", "/api/v1/receipts/key").json["public_key"])
    part = api_client.get("/receipts", parent_id=asked["id"]).json["items"][0]
    assert part["subject_id"] == sample_document
    assert {store: receipt["removed"][store] for store in part["removed"]} == part["removed"]


def test_receipts_without_a_key_are_complete_and_unsigned(
    world: World, api_client: Client, sample_document: str
) -> None:
    with bootstrap.override(signer=None):
        asked = api_client.delete(f"/documents/{sample_document}").json
        world.settle()
        receipt = api_client.get(f"/receipts/{asked['id']}").json
        assert (receipt["complete"], receipt["signature"]) == (True, None)
        answer = world.api("GET", "/api/v1/receipts/key")
        assert (answer.status, answer.code) == (404, "no_signing_key")


def test_receipt_is_not_complete_before_it_is_signed(
    world: World, api_client: Client, sample_document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(message: bytes) -> bytes:
        raise Unavailable("signing failed")

    with monkeypatch.context() as patched:
        patched.setattr(world.signer, "sign", down)
        asked = api_client.delete(f"/documents/{sample_document}").json
        for _ in range(3):
            world.settle()
        assert not api_client.get(f"/receipts/{asked['id']}").json["complete"]
    world.pass_time(2000)
    world.sweep()
    assert api_client.get(f"/receipts/{asked['id']}").json["signature"]


def test_receipt_of_a_store_that_lists_late_is_complete_only_when_it_was_asked_again(
    world: World, api_client: Client, collection: str
) -> None:
    remote = RemoteVectors()
    remote.lag = timedelta(minutes=2)
    with bootstrap.override(remote_vectors=remote):
        document = api_client.upload(collection, LEAVE)
        world.settle()
        ghost = dict(remote.kept)
        asked = api_client.delete(f"/documents/{document}").json
        world.settle()
        first = api_client.get(f"/receipts/{asked['id']}").json
        assert (first["complete"], first["remaining"]["vectors"]) == (False, 0)
        # What the store told was gone turns up again: a write that was late.
        remote.kept.update(ghost)
        world.pass_time(130)
        second = api_client.get(f"/receipts/{asked['id']}").json
        assert (second["complete"], remote.kept) == (False, {})
        world.pass_time(60)
        assert not api_client.get(f"/receipts/{asked['id']}").json["complete"]
        world.pass_time(130)
        third = api_client.get(f"/receipts/{asked['id']}").json
        assert (third["complete"], third["removed"]["vectors"]) == (True, 2 * len(ghost))


def test_deleted_document_keeps_no_name_and_no_label(world: World, api_client: Client, sample_document: str) -> None:
    api_client.delete(f"/documents/{sample_document}")
    world.settle()
    kept = world.document(api_client, sample_document)
    assert (kept.name, kept.path, kept.title, kept.content_hash) == ("", "", "", "")
    assert (kept.tags, dict(kept.metadata)) == ((), {})
    assert world.generation(api_client, sample_document).title == ""


def test_receipts_are_listed_newest_first_and_by_what_they_are_of(
    world: World, api_client: Client, collection: str
) -> None:
    documents = [api_client.slot(collection, f"{number}.txt")["document"]["id"] for number in range(3)]
    for document in documents:
        world.clock.advance(1)
        api_client.delete(f"/documents/{document}")
    world.settle()
    world.clock.advance(1)
    open_one = api_client.delete(f"/collections/{collection}").json
    items = api_client.get("/receipts").json["items"]
    assert [one["subject_id"] for one in items] == [collection, *reversed(documents)]
    page = api_client.get("/receipts", limit="2").json
    rest = api_client.get("/receipts", limit="2", cursor=page["next"]).json
    assert [one["id"] for one in [*page["items"], *rest["items"]]] == [one["id"] for one in items]
    assert [one["id"] for one in api_client.get("/receipts", kind="collection").json["items"]] == [open_one["id"]]
    assert len(api_client.get("/receipts", complete="true").json["items"]) == 3
    assert len(api_client.get("/receipts", complete="false").json["items"]) == 1


def test_receipts_of_a_deleted_project_are_shown_to_who_sees_projects(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    owner = world.key(api_client, whole_tenant=True)
    other = {"Lambent-Project": owner.post("/projects", {"name": "second"}).json["id"]}
    assert owner("GET", "/receipts", headers=other).json["items"] == []
    own = api_client.delete(f"/documents/{sample_document}").json["id"]
    assert owner("GET", f"/receipts/{own}", headers=other).status == 404
    asked = owner("DELETE", f"/projects/{api_client.project_id}", {"name": "default"}).json
    world.finish_deleting()
    shown = owner("GET", "/receipts", headers=other).json["items"]
    assert {one["kind"] for one in shown} == {"project", "document"}
    assert owner("GET", f"/receipts/{asked['id']}", headers=other).json["complete"]
    assert owner("GET", f"/receipts/{own}", headers=other).status == 200
    assert world.receipt(api_client, SubjectKind.PROJECT, str(api_client.project_id)).complete
