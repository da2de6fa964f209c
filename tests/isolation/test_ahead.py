"""Who has just been let in, and whose rights end: the very next request is refused, in the process that knows them."""

from collections.abc import Callable

import pytest

from shared.adapters.postgres.engine import Session
from tests.isolation.attackers import Crowds
from tests.isolation.town import DEFAULT, HOUSES, NEXT_DOOR, Room, Sender, Town, bearer, where

type Act = Callable[["Scene"], tuple[str, str, object]]


class Scene:
    """A member with an owner's role, by their token or their key, and the organisation's owner."""

    def __init__(self, town: Town, crowds: Crowds, kind: str) -> None:
        self.town = town
        self.room: Room = town.houses[HOUSES[0]].rooms[DEFAULT]
        shown = crowds.of[HOUSES[0]].shown["owner"]
        self.user_id = shown.user_id
        self.theirs = Sender("member", {**bearer(getattr(shown, kind)), **where(self.room)})
        self.only_the_owner = {"readers": [{"kind": "user", "id": str(town.houses[HOUSES[0]].owner.user_id)}]}
        self.org = f"/orgs/{self.room.client.tenant_id}"
        self.project = f"/projects/{self.room.names['project_id']}"
        self.document = f"/documents/{self.room.names['document_id']}"

    def asks(self, path: str = "") -> int:
        """What the member is answered when they ask for the document, or something else."""
        return self.town.ask(self.theirs, "GET", path or self.document).status

    def does(self, sender: Sender, method: str, path: str, body: object = None) -> None:
        """Something that must succeed."""
        answer = self.town.ask(sender, method, path, body)
        assert answer.status < 300, answer.body


ENDS: dict[str, Act] = {
    "suspended": lambda at: ("POST", f"{at.org}/members/{at.user_id}/suspend", None),
    "thrown out": lambda at: ("DELETE", f"{at.org}/members/{at.user_id}", None),
    "another role": lambda at: ("PATCH", f"{at.org}/members/{at.user_id}", {"role": None}),
    "project in the archive": lambda at: ("POST", f"{at.project}/archive", None),
    "project deleted": lambda at: ("DELETE", at.project, {"name": DEFAULT}),
    "organisation deleted": lambda at: ("DELETE", at.org, {"name": HOUSES[0]}),
    "document deleted": lambda at: ("DELETE", at.document, None),
    "list without them": lambda at: ("PUT", f"{at.document}/access-list", at.only_the_owner),
}


@pytest.mark.parametrize("kind", ["token", "key"])
@pytest.mark.parametrize("end", ENDS)
def test_rights_that_end_between_two_requests_end_with_the_first(
    town: Town, crowds: Crowds, kind: str, end: str
) -> None:
    at = Scene(town, crowds, kind)
    with town.store.rehearsal():
        assert [at.asks(), at.asks()] == [200, 200]
        at.does(at.room.owner, *ENDS[end](at))
        status = at.asks()
        town.store.line.recalled.clear()
        assert status == at.asks(), "a process that knows nobody answers the same"
        assert status in {401, 403, 404, 410}
    assert at.asks() == 200


def test_rights_that_begin_between_two_requests_begin_with_the_first(town: Town, crowds: Crowds) -> None:
    at = Scene(town, crowds, "token")
    with town.store.rehearsal():
        at.does(at.room.owner, "PATCH", f"{at.org}/members/{at.user_id}", {"role": None})
        assert [at.asks(), at.asks()] == [404, 404]
        at.does(at.room.owner, "PATCH", f"{at.org}/members/{at.user_id}", {"role": "viewer"})
        assert at.asks() == 200
        assert at.asks(f"{at.org}/audit") == 403
        at.does(at.room.owner, "PATCH", f"{at.org}/members/{at.user_id}", {"role": "admin"})
        assert at.asks(f"{at.org}/audit") == 200


def test_session_that_ends_ends_with_the_next_request(town: Town, crowds: Crowds) -> None:
    at = Scene(town, crowds, "token")
    with town.store.rehearsal():
        assert [at.asks(), at.asks("/users/me"), at.asks()] == [200, 200, 200]
        at.does(at.theirs, "POST", "/auth/logout")
        assert [at.asks(), at.asks("/users/me"), at.asks(at.org)] == [401, 401, 401]


def test_somebody_else_or_somewhere_else_is_never_mistaken(town: Town, crowds: Crowds) -> None:
    at = Scene(town, crowds, "key")
    elsewhere = town.houses[HOUSES[0]].rooms[NEXT_DOOR]
    stranger = town.houses[HOUSES[1]].rooms[DEFAULT]
    for _ in range(2):
        assert at.asks() == 200
        assert town.ask(Sender("", {**at.theirs.headers, **where(elsewhere)}), "GET", at.document).status == 404
        assert town.ask(stranger.owner, "GET", at.document).status == 404


def test_rights_taken_for_granted_and_never_asked_are_found(
    town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "_compare", lambda self, question, row: setattr(question, "confirmed", True))
    at = Scene(town, crowds, "token")
    with town.store.rehearsal():
        assert at.asks(f"{at.org}/audit") == 200
        at.does(at.room.owner, "PATCH", f"{at.org}/members/{at.user_id}", {"role": "viewer"})
        assert at.asks(f"{at.org}/audit") == 200, "what compares is what keeps them out"
