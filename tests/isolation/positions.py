"""Every place of the API's description where a request can name something: path, query, headers, bodies and what is
nested in them.

A field that is neither an id by its format nor said here to be plain is an error, so that a new one is looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from shared.runtime.openapi import merged
from tests.functions.requests import Route


class Undescribed(Exception):
    """Something in the API's description that no probe can be made from; says where to say what it is."""


class Place(StrEnum):
    """Which part of a request."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Position:
    """One place that names something."""

    place: Place
    path: tuple[str, ...]
    """Names of fields from the outside in; `[]` is the entry of a list."""
    names: str
    """What it names, as `tests.functions.requests.names_of` calls it."""
    shape: str = "{}"
    """What stands there: `{}` is the id."""

    def __str__(self) -> str:
        return f"{self.place} {'.'.join(self.path)}" + (f" as {self.names}" if self.path[-1] != self.names else "")


@dataclass(frozen=True, slots=True)
class Operation:
    """What the description says of one route."""

    route: Route
    positions: tuple[Position, ...]
    example: Any
    """The body that the description gives as an example; None: it takes none."""


ALIKE = {"collection_ids": "collection_id", "user": "user_id", "role": "role_id", "owner": "user_id"}
"""Fields that are called otherwise than what they name."""
OF_ROUTES = {
    ("/units", "parent_id"): "unit_id",
    ("/units/{unit_id}/move", "parent_id"): "other_unit_id",
    ("/receipts", "parent_id"): "collection_id",
    # A run takes documents until it is closed.
    ("/documents", "ingestion_id"): "open_ingestion_id",
    ("/versions", "ingestion_id"): "open_ingestion_id",
}
"""Fields that name one thing in one route and another elsewhere, by how the path ends."""
HEADERS = {"Lambent-Project": "project_id", "Lambent-Org": "org_id", "Idempotency-Key": "retry_key"}
DOCUMENT_FILTER = '{{"field": "document_id", "op": "eq", "value": "{}"}}'
SPOKEN: Mapping[str, Sequence[tuple[str, str]]] = {
    "readers.[].id": (
        ("user_id", "user"),
        ("unit_id", "unit"),
        ("role_id", "role"),
        ("account_id", "service_account"),
        ("key_id", "key"),
    ),
    "filter": (("document_id", DOCUMENT_FILTER),),
    "subject_id": (("document_id", "{}"), ("user_id", "{}")),
    "actor": (("user_id", "user:{}"), ("key_id", "api_key:{}")),
    "cursor": (("cursor", "{}"),),
}
"""Fields that name something and do not say so by their format: what, and in what shape."""
PLAIN = frozenset(
    {
        *("name", "title", "description", "language", "model", "media_type", "path", "content_hash", "tags.[]"),
        *("metadata", "query", "question", "questions.[].text", "reason", "url", "problem", "email", "organisation"),
        # What proves who somebody is: test_auth, test_attacks and test_invitations are about these.
        *("token", "password", "present", "refresh_token", "action", "subject_kind"),
        # Whose word is taken for who somebody is: the deployment's choice, for all organisations alike.
        *("provider", "redirect_uri", "code", "state", "binding", "iss", "error"),
    }
)
"""Fields of text that name nothing which belongs to anybody."""
DATES = {"date-time", "date"}


@cache
def operations() -> Mapping[Route, Operation]:
    """Every operation of the description."""
    document = merged()
    schemas = document["components"]["schemas"]
    found = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            route = (method.upper(), path)
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            positions = tuple(positions_of(path, operation, content, schemas))
            found[route] = Operation(route, positions, content.get("example"))
    return found


def positions_of(
    path: str, operation: Mapping[str, Any], content: Mapping[str, Any], schemas: Mapping[str, Any]
) -> Iterator[Position]:
    """Every position of one operation.

    Args:
        path: the route's.
        operation: its description.
        content: of its JSON body.
        schemas: what both refer to.

    Raises:
        Undescribed: a field or header of which nobody said what it names.
    """
    for parameter in operation.get("parameters", ()):
        place, name = Place(parameter["in"]), parameter["name"]
        if place is Place.HEADER:
            if name in HEADERS:
                yield Position(place, (name,), HEADERS[name])
            elif parameter["schema"].get("type") != "integer":
                raise Undescribed(f"{path}: the header {name}: say in tests/isolation/positions.py what it names")
            continue
        for leaf in _leaves(parameter["schema"], schemas, (name,), ()):
            yield from _named(path, place, *leaf)
    for leaf in _leaves(content.get("schema", {"type": "null"}), schemas, (), ()):
        yield from _named(path, Place.BODY, *leaf)


def _named(route: str, place: Place, path: tuple[str, ...], schema: Mapping[str, Any]) -> Iterator[Position]:
    field, last = ".".join(path), next(part for part in reversed(path) if part != "[]")
    if field in SPOKEN:
        for names, shape in SPOKEN[field]:
            yield Position(place, path, names, shape)
    elif schema.get("format") == "uuid":
        by_route = {name: names for (end, name), names in OF_ROUTES.items() if route.endswith(end)}
        yield Position(place, path, by_route.get(last, ALIKE.get(last, last)))
    elif not (field in PLAIN or last in PLAIN or "enum" in schema or schema.get("format") in DATES):
        raise Undescribed(
            f"{route}: {place} {field}: say in tests/isolation/positions.py what it names, or that it is plain"
        )


def _leaves(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], path: tuple[str, ...], within: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Texts and what is not described any further, wherever they are."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        if name not in within:
            yield from _leaves(schemas[name], schemas, path, (*within, name))
        return
    branches = [one for kind in ("anyOf", "oneOf", "allOf") for one in schema.get(kind, ())]
    for branch in branches:
        yield from _leaves(branch, schemas, path, within)
    kind = schema.get("type")
    if kind == "array":
        yield from _leaves(schema.get("items", {}), schemas, (*path, "[]"), within)
    for name, inner in schema.get("properties", {}).items():
        yield from _leaves(inner, schemas, (*path, name), within)
    if (
        kind == "string"
        or not (branches or kind or "const" in schema or "properties" in schema)
        or (kind == "object" and "properties" not in schema)
    ):
        yield path, schema
