"""Three organisations with four projects each, and one of everything in each project.

One of the projects is in the archive; of one, access lists keep every document back.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from shared import bootstrap
from shared.adapters.postgres.revision import HEAD
from shared.domain.users import Identity, UserScope
from shared.runtime.invocation import run
from tests.fixtures.postgres import PostgresUrls
from tests.functions.crew import new_unit
from tests.functions.gateway import Answer
from tests.functions.requests import Route, Things, furnish, names_of
from tests.functions.texts import GARDEN
from tests.functions.world import COMPANY, PASSWORD, Client, Person, World
from tests.isolation.kept_back import Kept, keep_back
from tests.isolation.rehearsal import RehearsedStore
from tests.isolation.witness import Witness

HOUSES = ("Acme", "Brook", "Cairn")
DEFAULT, NEXT_DOOR, ARCHIVED, KEPT_BACK = "default", "next-door", "archived", "kept-back"
PROJECTS = (DEFAULT, NEXT_DOOR, ARCHIVED, KEPT_BACK)
SECRET = "Quuxleberry"
"""Begins a word that stands in names, texts and questions of one project only."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whoever asks: what they show, and where they say that they work."""

    name: str
    headers: Mapping[str, str]
    room: "Room | None" = None
    """Where they may work; None: nowhere."""


@dataclass(frozen=True, slots=True)
class Room:
    """A project, and the ids of one of everything in it."""

    house: str
    project: str
    client: Client
    """Its organisation's owner, working in it."""
    names: Mapping[str, str]
    deleted: str
    """The id of a document that has a receipt and nothing else."""
    word: str
    """Stands in this project's texts and in no other's."""
    kept: Kept = field(default_factory=Kept)
    """What lists keep back in it."""

    def names_for(self, route: Route) -> Mapping[str, str]:
        """The ids that a request of this route names."""
        return {**self.names, "document_id": self.deleted} if route[1].endswith("/receipt") else self.names

    @property
    def owner(self) -> Sender:
        """Who may do everything in it."""
        return Sender("owner", {**bearer(self.client.key), **where(self)}, self)


@dataclass(frozen=True, slots=True)
class House:
    """An organisation."""

    name: str
    owner: Person
    rooms: Mapping[str, Room]


@dataclass(frozen=True, slots=True)
class Town:
    """All of it, and what watches it."""

    world: World
    store: RehearsedStore
    witness: Witness
    houses: Mapping[str, House]

    def ask(self, sender: Sender, method: str, path: str, body: object = None) -> Answer:
        """One request below /api/v1."""
        return self.world.api(method, f"/api/v1{path}", body, headers=sender.headers)


@dataclass(frozen=True, slots=True)
class At(Client):
    """Calls the API as somebody who says in which project."""

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; `path` begins below /api/v1."""
        sent = {"Lambent-Project": str(self.project_id), **(headers or {})}
        return Client.__call__(self, method, path, body, query=query, headers=sent)


def bearer(secret: str) -> dict[str, str]:
    """The header that shows a credential."""
    return {"Authorization": f"Bearer {secret}"}


def where(room: Room) -> dict[str, str]:
    """The header that says in which project one works."""
    return {"Lambent-Project": room.names["project_id"]}


@contextmanager
def built(urls: PostgresUrls) -> Iterator[Town]:
    """The town on an empty, migrated database, through the API."""
    world, store = World(), RehearsedStore(urls.app)
    witness = Witness(urls.superuser, world)
    # Who asks how often is counted in a transaction of its own, and is no tenant's: test_rates is about it.
    with world.active(), bootstrap.override(store=store, revision=HEAD, rate_factor=0.0):
        try:
            houses = {name: _house(world, name) for name in HOUSES}
            houses = {name: _invited(world, house, houses) for name, house in houses.items()}
            town = Town(world, store, witness, houses)
            witness.remember()
            yield town
        finally:
            witness.close()
            run(store.close())


def _house(world: World, name: str) -> House:
    owner = world.person(f"owner@{name.lower()}.example", name)
    rooms = {project: _room(world, owner, name, project) for project in PROJECTS}
    hidden = rooms[KEPT_BACK]
    rooms[KEPT_BACK] = replace(hidden, kept=keep_back(hidden.client, owner, name))
    archived = rooms[ARCHIVED].names["project_id"]
    assert owner.post(f"/projects/{archived}/archive").status == 200
    me = UserScope(owner.user_id)

    async def link() -> None:
        async with bootstrap.transaction(None) as ports:
            await ports.users.enter(me)
            await ports.users.link(me, Identity(owner.user_id, COMPANY.issuer, name, world.clock.now()))

    run(link())
    return House(name, owner, rooms)


def _invited(world: World, house: House, houses: Mapping[str, House]) -> House:
    """The owner is invited by another organisation, changes their address, and has the codes."""
    host = houses[HOUSES[HOUSES.index(house.name) - 1]].owner
    asked = host.post(f"/orgs/{host.tenant_id}/invitations", {"email": house.owner.email, "role": "viewer"})
    assert asked.status == 201, asked.body
    code = {"code": world.mailed(house.owner.email)}
    address = f"elsewhere@{house.name.lower()}.example"
    moved = house.owner.post("/auth/email/change", {"email": address, "password": PASSWORD})
    assert moved.status == 202, moved.body
    code["address_code"] = world.mailed(address)
    rooms = {name: replace(room, names={**room.names, **code}) for name, room in house.rooms.items()}
    return replace(house, rooms=rooms)


def _room(world: World, owner: Person, house: str, project: str) -> Room:
    project_id = owner.project_id
    if project != DEFAULT:
        made = owner.post("/projects", {"name": project})
        assert made.status == 201, made.body
        project_id = UUID(made.json["id"])
    client = At(world, owner.key, owner.tenant_id, project_id)
    word = f"{SECRET}{house}{project.replace('-', '')}"
    things = furnish(world, client, house, word)
    more = _second_pages(world, client, things, word)
    names = {**names_of(things), **more, "session_id": _session(owner), "retry_key": f"once-{word}"}
    return Room(house, project, client, names, things.deleted_id, word)


def _second_pages(world: World, client: Client, things: Things, word: str) -> Mapping[str, str]:
    """A second of each, so that every listing has a page to turn; returns the ids of some."""
    collection = things.collection_id
    client.collection(f"Second {word}")
    run_id = client.ingestion(collection, f"Second {word}")
    for number in (1, 2):
        client.upload(collection, GARDEN + word, f"{number}{word}.txt", ingestion_id=run_id)
        client.upload(collection, b"\xff" + word.encode(), f"failed {number}{word}.bin")
    gone = client.upload(collection, GARDEN + word, f"gone{word}.txt")
    world.settle()
    assert client.delete(f"/documents/{gone}").status == 202
    assert client.post(f"/ingestions/{run_id}/close").json["status"] == "completed"
    world.settle()
    asked = client.post(f"/chats/{things.chat_id}/messages", {"question": f"How many days of leave, {word}?"})
    assert asked.status == 201, asked.body
    assert client.post("/chats", {"collection_ids": [collection], "title": word}).status == 201
    assert client.post("/webhooks", {"url": f"https://second.example.com/{word}"}).status == 201
    org = f"/orgs/{client.tenant_id}"
    assert client.post(f"{org}/invitations", {"email": f"two{word}@example.com", "role": "viewer"}).status == 201
    assert client.post(f"{org}/service-accounts", {"name": f"two {word}", "role": "viewer"}).status == 201
    return {
        "ingestion_id": run_id,
        "open_ingestion_id": client.ingestion(collection, f"Open {word}"),
        "other_unit_id": new_unit(client, f"Second {word}"),
    }


def _session(owner: Person) -> str:
    return str(owner.get("/auth/sessions").json["items"][0]["id"])
