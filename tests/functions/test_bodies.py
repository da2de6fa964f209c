"""What a body may hold: what its description names, and nothing else, in every operation and however deep.

Whose something is and what its maker may do is read from the credential. Generated from the API's description.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from shared.runtime import openapi
from shared.runtime.routes import PUBLIC, ROUTES
from tests.functions.requests import Route
from tests.functions.world import COMPANY, Person, World

NOBODY = "00000000-0000-7000-8000-000000000009"
DOCUMENT = openapi.merged()
SCHEMAS: Mapping[str, Any] = DOCUMENT["components"]["schemas"]
BODIES: Mapping[Route, Mapping[str, Any]] = {
    (method.upper(), path): operation["requestBody"]["content"]["application/json"]
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if "requestBody" in operation
}
FREE = {"metadata", "filter"}
"""Fields that hold objects of the caller's own making: kept, or looked for, as they are."""
NEVER = ("tenant_id", "tenant", "org_id", "organisation_id", "owner", "owner_id", "created_by", "set_by", "principal")
"""Whose it is: no body says."""
OTHERS = (
    "surprise",
    "id",
    "user_id",
    "role",
    "permissions",
    "is_admin",
    "status",
    "project_id",
    "api_base",
    "__class__",
)
ROLES = {
    ("POST", "/api/v1/orgs/{org_id}/invitations"),
    ("PATCH", "/api/v1/orgs/{org_id}/members/{user_id}"),
    ("PUT", "/api/v1/orgs/{org_id}/units/{unit_id}/members/{user_id}"),
    ("PUT", "/api/v1/projects/{project_id}/members/{user_id}"),
    ("POST", "/api/v1/orgs/{org_id}/service-accounts"),
    ("PATCH", "/api/v1/orgs/{org_id}/service-accounts/{account_id}"),
}
"""Where one gives a role to somebody else, as far as one's own rights go: test_org_roles is about these."""
each = pytest.mark.parametrize("route", sorted(BODIES), ids=" ".join)


def objects(schema: Mapping[str, Any], within: tuple[str, ...] = ()) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object of a body by the fields that lead to it, but for those of the caller's own making."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        yield from objects(SCHEMAS[name], within)
        return
    for branch in (one for kind in ("anyOf", "oneOf", "allOf") for one in schema.get(kind, ())):
        yield from objects(branch, within)
    if schema.get("type") == "array":
        yield from objects(schema["items"], (*within, "[]"))
    if schema.get("type") == "object":
        yield ".".join(within), schema
    for name, inner in schema.get("properties", {}).items():
        if name not in FREE:
            yield from objects(inner, (*within, name))


def with_surplus(body: Any, field: str) -> Iterator[Any]:
    """The body with a further field, in each of its objects in turn that has none of that name."""
    if isinstance(body, dict):
        if field not in body:
            yield {**body, field: NOBODY}
        for name, inner in body.items():
            if name not in FREE:
                yield from ({**body, name: made} for made in with_surplus(inner, field))
    elif isinstance(body, list):
        for number, inner in enumerate(body):
            yield from ([*body[:number], made, *body[number + 1 :]] for made in with_surplus(inner, field))


@each
def test_body_takes_no_field_that_is_not_described(route: Route) -> None:
    found = dict(objects(BODIES[route]["schema"]))
    assert found
    assert [place for place, schema in found.items() if schema.get("additionalProperties") is not False] == []


@each
def test_body_says_neither_whose_it_is_nor_what_its_sender_may_do(route: Route) -> None:
    named = {name for _, schema in objects(BODIES[route]["schema"]) for name in schema["properties"]}
    assert named.isdisjoint(NEVER)
    assert "role" not in named or route in ROLES


@pytest.fixture(scope="module")
def ada() -> Iterator[Person]:
    world = World()
    with world.active():
        yield world.person()


@each
def test_body_with_a_field_too_many_is_refused(route: Route, ada: Person) -> None:
    """Before anything is looked up: the ids are nobody's."""
    method, template = route
    names = {"org_id": ada.tenant_id, "project_id": ada.project_id, "provider": COMPANY.name}
    ids = {part.strip("{}"): NOBODY for part in template.split("/") if part.startswith("{")}
    path, content = template.format(**{**ids, **names}), BODIES[route]
    headers = {} if ROUTES[route] is PUBLIC else {"Authorization": f"Bearer {ada.key}"}
    described = {name for _, schema in objects(content["schema"]) for name in schema["properties"]}
    for field in {*NEVER, *OTHERS} - described:
        sent = list(with_surplus(content["example"], field))
        assert sent
        for body in sent:
            answer = ada.world.api(method, path, body, headers=headers)
            assert (answer.status, answer.code) == (422, "validation_failed"), (body, answer.body)
            assert any(one["field"].endswith(f".{field}") for one in answer.json["errors"]), answer.body


def test_field_too_many_is_put_into_every_object() -> None:
    body = {"a": [{"b": 1}, {"b": 2}], "metadata": {"c": 3}}
    assert list(with_surplus(body, "x")) == [
        {**body, "x": NOBODY},
        {**body, "a": [{"b": 1, "x": NOBODY}, {"b": 2}]},
        {**body, "a": [{"b": 1}, {"b": 2, "x": NOBODY}]},
    ]
