"""What access lists keep back within a project: from a member who may do everything there, and is on no list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from tests.functions.texts import GARDEN, LEAVE
from tests.functions.world import Client, Person
from tests.isolation.witness import ID

SHORTEST = 20
"""Characters of a line that tells where it is from."""
TOLD = frozenset(line for text in (LEAVE, GARDEN) for line in text.splitlines() if len(line) >= SHORTEST)
"""Lines of the documents."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What nobody may learn whom the lists leave out."""

    ids: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    """Names of documents, and what stands in them."""

    def told(self, answer: str, request: str) -> set[str]:
        """What of it is in an answer and was not in the request."""
        asked = request.lower().replace("-", "")
        ids = {id for id in ID.findall(answer) if id in self.ids and id.replace("-", "") not in asked}
        return ids | {word for word in self.words if word in answer and word not in request}


def _by_documents(client: Client, owner: Person) -> None:
    for id in documents_of(client):
        _listed(client, f"documents/{id}", [{"kind": "role", "id": "owner"}])


def _by_collections(client: Client, owner: Person) -> None:
    for one in client.get("/collections").json["items"]:
        _listed(client, f"collections/{one['id']}", [{"kind": "role", "id": "owner"}])


def _by_both(client: Client, owner: Person) -> None:
    """Of two lists the document's own counts, for as long as it is fresh."""
    until = (client.world.clock.now() + timedelta(days=3650)).isoformat()
    for one in client.get("/collections").json["items"]:
        _listed(client, f"collections/{one['id']}", [{"kind": "everyone"}])
    for id in documents_of(client):
        _listed(client, f"documents/{id}", [{"kind": "user", "id": str(owner.user_id)}], fresh_until=until)


WAYS: Mapping[str, Callable[[Client, Person], None]] = {
    "Acme": _by_documents,
    "Brook": _by_collections,
    "Cairn": _by_both,
}
"""How each organisation keeps back the documents of its room for that."""


def documents_of(client: Client) -> Mapping[str, str]:
    """Names of the documents of a project by their ids."""
    found = client.get("/documents", limit="200").json
    assert found["next"] is None
    return {one["id"]: one["name"] for one in found["items"]}


def keep_back(client: Client, owner: Person, house: str) -> Kept:
    """Give every document of a project to its owner alone.

    Args:
        client: the owner, working in the project.
        owner: the same.
        house: their organisation's name.
    """
    names = documents_of(client)
    WAYS[house](client, owner)
    assert documents_of(client) == names, "its owner sees all of it"
    return Kept(frozenset(names), frozenset(names.values()) | TOLD)


def _listed(client: Client, subject: str, readers: list[dict[str, str]], **more: str) -> None:
    answer = client.put(f"/{subject}/access-list", {"readers": readers, **more})
    assert answer.status == 200, answer.body
