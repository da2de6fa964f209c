"""What is probed: every attacker on every route with every id, and the forms that chance gives it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.runtime.routes import PUBLIC, ROUTES
from tests.functions.requests import Route
from tests.isolation.asking import example_of, names_anything
from tests.isolation.attackers import ATTACKERS, Attacker, concerns
from tests.isolation.positions import Operation, Position, operations
from tests.isolation.town import ARCHIVED, KEPT_BACK, Room

OF_PROJECTS = frozenset(
    {
        *("project_id", "collection_id", "reindex_id", "document_id", "chat_id", "ingestion_id", "receipt_id"),
        *("webhook_id", "delivery_id"),
    }
)
"""What belongs to one project; everything else belongs to the organisation."""
OF_LISTS = frozenset({"document_id"})
"""What lists keep back; who may read a collection, a run or a chat may read what those are called and how they are."""
BESIDE = ("other project's key",)
"""Who is of the organisation, and of another project of it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One sort of attacker, one route, one place of an id; None: every id at once."""

    attacker: Attacker
    operation: Operation
    at: Position | None

    def __str__(self) -> str:
        place = "every id" if self.at is None else str(self.at)
        return f"{self.attacker.name}: {' '.join(self.operation.route)}: {place}"


@dataclass(frozen=True, slots=True)
class Probe:
    """A cell, and what chance made of it."""

    cell: Cell
    form: str
    room: Room
    among: bool
    elsewhere: bool
    """Whether the headers say that they work where they may not."""
    spelling: str

    def __str__(self) -> str:
        looks = f"by {self.form}, after {self.room.house}, {'there' if self.elsewhere else 'at home'}"
        return f"{self.cell} ({looks}, {self.spelling}{', among its own' if self.among else ''})"


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda id: id,
    "in capitals": str.upper,
    "in braces": lambda id: "{" + id + "}",
    "without hyphens": lambda id: id.replace("-", ""),
}
"""Ways to write an id, all of which an API that reads ids takes for the same."""


def cells() -> Sequence[Cell]:
    """Every one there is. What is open to strangers has nothing that is refused."""
    found = []
    for route, operation in operations().items():
        if ROUTES[route] is PUBLIC:
            continue
        example_of(operation)
        for attacker in ATTACKERS:
            if not concerns(attacker, route, naming=bool(operation.positions)):
                continue
            found += [Cell(attacker, operation, at) for at in places(attacker, operation)]
    return found


def places(attacker: Attacker, operation: Operation) -> Iterator[Position | None]:
    """Where this attacker can name something that is not theirs."""
    beside, after = attacker.name in BESIDE, _after(attacker, operation)
    anything = not attacker.known or attacker.within == KEPT_BACK
    if anything or in_project(operation) or (not beside and names_anything(operation)):
        yield None
    yield from (at for at in operation.positions if after is None or at.names in after)


def _after(attacker: Attacker, operation: Operation) -> frozenset[str] | None:
    """What they may not name, as `Position.names` calls it; None: anything."""
    if attacker.within == KEPT_BACK:
        # A receipt is of a document that is gone, and of its list with it: it holds ids and counts.
        return frozenset() if operation.route[1].endswith("/receipt") else OF_LISTS
    return OF_PROJECTS if attacker.name in BESIDE or attacker.within == ARCHIVED else None


def in_project(operation: Operation) -> bool:
    """Whether a route works in one project."""
    return any(at.path == ("Lambent-Project",) for at in operation.positions)


def theirs(home: Room | None, room: Room, route: Route) -> frozenset[str]:
    """What of the ids that a route's request names in a room somebody may know who may work at `home`."""
    if home is room and room.project == KEPT_BACK:
        return frozenset(name for name, id in room.names_for(route).items() if id not in room.kept.ids)
    if home is None or home.house != room.house:
        return frozenset()
    return frozenset({"org_id", "project_id"} if home.project == room.project else {"org_id"})
