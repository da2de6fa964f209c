"""The tree of org units, and what moving in it gives to people."""

from typing import Any
from uuid import UUID

import pytest

from shared.domain.roles import BuiltIn
from shared.domain.tenants import Permission
from tests.functions.crew import Member, events, join, new_role, new_unit
from tests.functions.gateway import Answer
from tests.functions.world import Client, World

P = Permission


@pytest.fixture
def owner(world: World, api_client: Client) -> Member:
    return join(world, api_client, BuiltIn.OWNER)


def put(actor: Member, unit: str, member: Member, role: Any) -> Answer:
    return actor("PUT", f"{actor.org}/units/{unit}/members/{member.user_id}", {"role": role})


def move(actor: Member, unit: str, parent: str | None) -> Answer:
    return actor.post(f"{actor.org}/units/{unit}/move", {"parent_id": parent})


def tree(owner: Member) -> dict[str, Any]:
    return {one["id"]: one["parent_id"] for one in owner.get(f"{owner.org}/units").json["items"]}


def test_tree_is_made_moved_and_taken_down(owner: Member) -> None:
    top = new_unit(owner, "Top")
    low = new_unit(owner, "Low", top)
    assert tree(owner) == {top: None, low: top}
    assert owner.delete(f"{owner.org}/units/{top}").code == "unit_not_empty"
    assert move(owner, low, None).json["parent_id"] is None
    assert owner.patch(f"{owner.org}/units/{low}", {"name": "Lower"}).json["name"] == "Lower"
    assert owner.delete(f"{owner.org}/units/{top}").status == 204
    assert tree(owner) == {low: None}


def test_unit_cannot_lie_within_itself(owner: Member) -> None:
    top = new_unit(owner, "Top")
    middle = new_unit(owner, "Middle", top)
    low = new_unit(owner, "Low", middle)
    for unit, parent in ((top, top), (top, low), (middle, low)):
        answer = move(owner, unit, parent)
        assert (answer.status, answer.code) == (409, "unit_cycle")
    assert tree(owner) == {top: None, middle: top, low: middle}


def test_units_of_another_organisation_are_not_found(world: World, owner: Member) -> None:
    foreign = new_unit(join(world, world.owner("Other"), BuiltIn.OWNER))
    mine, someone = new_unit(owner), join(world, owner)
    path = f"{owner.org}/units/{foreign}"
    answers = [owner.get(path), owner.patch(path, {"name": "x"}), owner.delete(path), owner.get(f"{path}/members")]
    answers += [move(owner, foreign, None), move(owner, mine, foreign), put(owner, foreign, someone, None)]
    answers += [owner.post(f"{owner.org}/units", {"name": "x", "parent_id": foreign})]
    assert {(answer.status, answer.code) for answer in answers} == {(404, "unit_not_found")}
    stranger = join(world, world.owner("Third"))
    assert put(owner, mine, stranger, None).code == "member_not_found"
    assert tree(owner) == {mine: None}


def test_move_gives_the_mover_nothing(world: World, owner: Member) -> None:
    """Whoever is an admin of one unit and may move units does not become one of another."""
    mover = join(world, owner, UUID(new_role(owner, P.UNITS_READ, P.UNITS_WRITE)))
    own, other = new_unit(owner, "Own"), new_unit(owner, "Other")
    below = new_unit(owner, "Below", own)
    assert put(owner, own, mover, "admin").status == 200
    for place in (own, below):
        assert move(mover, other, place).code == "beyond_own_rights"
    assert tree(owner)[other] is None
    free = new_unit(owner, "Free")
    assert move(mover, other, free).status == 200


def test_unit_role_is_given_within_what_the_giver_holds(world: World, owner: Member) -> None:
    unit = new_unit(owner)
    recruiter = join(world, owner, UUID(new_role(owner, P.MEMBERS_READ, P.MEMBERS_WRITE)))
    assert put(recruiter, unit, recruiter, "viewer").code == "beyond_own_rights"
    assert put(recruiter, unit, recruiter, None).status == 200
    strong = join(world, owner)
    assert put(owner, unit, strong, "admin").status == 200
    path = f"{owner.org}/units/{unit}/members/{strong.user_id}"
    assert put(recruiter, unit, strong, None).code == "beyond_own_rights"
    assert recruiter.delete(path).code == "beyond_own_rights"
    assert [one["role"] for one in owner.get(f"{owner.org}/units/{unit}/members").json["items"]] == [None, "admin"]
    assert owner.delete(path).status == 204
    assert owner.delete(path).code == "member_not_found"


def test_unit_with_people_can_be_deleted_and_they_stay(world: World, owner: Member) -> None:
    unit, someone = new_unit(owner), join(world, owner)
    put(owner, unit, someone, None)
    assert owner.delete(f"{owner.org}/units/{unit}").status == 204
    assert owner.get(f"{owner.org}/members/{someone.user_id}").status == 200


def test_units_are_in_the_trail(world: World, owner: Member) -> None:
    unit, someone = new_unit(owner, "A"), join(world, owner)
    put(owner, unit, someone, "viewer")
    move(owner, unit, None)
    owner.delete(f"{owner.org}/units/{unit}/members/{someone.user_id}")
    here = {"name": "A", "parent_id": None}
    assert [(action, details) for action, _, _, details in events(owner)][:4] == [
        ("unit_member.removed", {"unit_id": unit, "before": "viewer"}),
        ("unit.moved", {"before": here, "after": here}),
        ("unit_member.put", {"unit_id": unit, "before": None, "after": "viewer"}),
        ("unit.created", {"after": here}),
    ]
