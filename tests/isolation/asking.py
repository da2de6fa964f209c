"""Valid requests of every route, with any id that they name exchanged for another."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.runtime.routes import ROUTES, Access
from tests.functions.requests import PROBES, Route, filled
from tests.functions.world import COMPANY, PASSWORD
from tests.isolation.positions import Operation, Place, Position, Undescribed
from tests.isolation.town import Room, Sender, Town

UNKNOWN = "00000000-0000-7000-8000-00000000000f"
"""An id that nobody has."""


@dataclass(frozen=True, slots=True)
class Example:
    """A route's valid request, as its owner may send it."""

    status: int
    body: Any
    query: Mapping[str, str] = field(default_factory=dict)


OF_SIGNED_IN: Mapping[Route, Example] = {
    ("POST", "/api/v1/auth/logout"): Example(204, None),
    ("POST", "/api/v1/auth/password/change"): Example(204, {"present": PASSWORD, "password": "another horse battery"}),
    ("POST", "/api/v1/auth/oidc/{provider}/link"): Example(
        200, {"password": PASSWORD, "redirect_uri": COMPANY.redirect_uris[0]}
    ),
    ("DELETE", "/api/v1/auth/oidc/{provider}/link"): Example(204, None),
    ("POST", "/api/v1/auth/email/change"): Example(202, {"email": "ada@elsewhere.example", "password": PASSWORD}),
    ("POST", "/api/v1/auth/email/confirm"): Example(200, {"token": "{address_code}"}),
    # The last owner stays.
    ("DELETE", "/api/v1/users/me/organisations/{org_id}"): Example(204, None),
    ("DELETE", "/api/v1/auth/sessions"): Example(200, None),
    ("DELETE", "/api/v1/auth/sessions/{session_id}"): Example(204, None),
    ("PATCH", "/api/v1/users/me"): Example(200, {"name": "Another"}),
    ("POST", "/api/v1/users/me/disable"): Example(204, {"password": PASSWORD}),
    ("POST", "/api/v1/orgs"): Example(201, {"name": "Another"}),
    ("POST", "/api/v1/orgs/accept"): Example(200, {"token": "{code}"}),
}
"""Requests of users about themselves; what they only read takes nothing."""
IN_FULL: Mapping[str, Mapping[str, Any]] = {"readers.[].id": {"readers": [{"kind": "", "id": ""}]}}
"""What has to stand around an id that the example leaves out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, but for who sends it."""

    route: Route
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All of it, to tell it from others."""
        return json.dumps([self.route, self.path, dict(self.query), self.body, dict(self.headers)], sort_keys=True)


def example_of(operation: Operation) -> Example:
    """The valid request of a route.

    Raises:
        Undescribed: nobody wrote one.
    """
    route = operation.route
    if route in PROBES:
        return Example(PROBES[route].status, PROBES[route].body, PROBES[route].query)
    if route in OF_SIGNED_IN:
        return OF_SIGNED_IN[route]
    if ROUTES.get(route) is Access.SIGNED_IN and route[0] == "GET":
        return Example(200, None)
    where = "OF_SIGNED_IN in tests/isolation/asking.py" if ROUTES[route] is Access.SIGNED_IN else "PROBES"
    raise Undescribed(f"{' '.join(route)} has no example: add its valid request to {where}")


def asked(
    operation: Operation, names: Mapping[str, str], at: Position | None = None, id: str = "", *, among: bool = False
) -> Asked:
    """A route's valid request.

    Args:
        operation: the route.
        names: the ids that it names, by what they are of.
        at: a place where another id stands.
        id: that id.
        among: in a list, beside what stands there, not in its place.
    """
    example, (_, template) = example_of(operation), operation.route
    in_path = {at.path[0]: id} if at is not None and at.place is Place.PATH else {}
    path = template.format(**{**names, **in_path, "provider": COMPANY.name})
    query = {key: str(filled(value, names)) for key, value in example.query.items()}
    made = Asked(operation.route, path, query, filled(example.body, names))
    if at is None or at.place is Place.PATH:
        return made
    written = written_at(at, id)
    if at.place is Place.HEADER:
        return replace(made, headers={at.path[0]: id})
    if at.place is Place.QUERY:
        return replace(made, query={**query, at.path[0]: written})
    around = IN_FULL.get(".".join(at.path), {})
    return replace(made, body=_put({**(made.body or {}), **around}, at, written, among=among))


def written_at(at: Position, id: str) -> str:
    """What stands at a place that names an id."""
    return id if at.path[-2:] == ("[]", "id") else at.shape.format(id)


def _put(body: dict[str, Any], at: Position, written: str, *, among: bool) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(body))
    holder: Any = made
    for part, following in zip(at.path, at.path[1:], strict=False):
        holder = holder[0] if part == "[]" else holder.setdefault(part, [] if following == "[]" else {})
    last = at.path[-1]
    value = json.loads(written) if written.startswith('{"') else written
    if last == "[]":
        holder[:] = [*holder, value] if among else [value]
    else:
        holder[last] = value
    if at.path[-2:] == ("[]", "id"):
        holder["kind"] = at.shape
    return made


def names_anything(operation: Operation) -> bool:
    """Whether the valid request itself names something."""
    example = example_of(operation)
    return "_id}" in json.dumps([operation.route[1], example.body, dict(example.query)])


def cursor_of(town: Town, room: Room, operation: Operation) -> str:
    """Where the next page of the owner's listing begins; '' when it has none."""
    listing = asked(operation, room.names_for(operation.route))
    if listing.body is None:
        listing = replace(listing, query={**listing.query, "limit": "1"})
    else:
        listing = replace(listing, body={**listing.body, "limit": 1})
    with town.store.rehearsal():
        answer = send(town, room.owner, listing)
    return str(answer.json.get("next") or "")


def send(town: Town, sender: Sender, asked: Asked) -> Any:
    """Send it; returns the answer."""
    headers = {**sender.headers, **asked.headers}
    return town.world.api(asked.route[0], asked.path, asked.body, query=asked.query or None, headers=headers)
