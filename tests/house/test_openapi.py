"""The API's description: it is the route table, and leaves no operation without words, errors and examples."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.runtime import errors, openapi
from shared.runtime.routes import PUBLIC, ROUTES

DOCUMENT = openapi.merged()
DESCRIPTION = ("/api/v1/openapi.json", "/api/v1/docs")
"""Their answers are the description itself, and the page that shows it."""
OPERATIONS = {
    (method.upper(), path): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
each = pytest.mark.parametrize("route", sorted(OPERATIONS), ids=" ".join)

type Json = dict[str, Any]


def fits(schema: Json, value: object) -> list[str]:
    whole = {**schema, "components": DOCUMENT["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def answers(operation: Json) -> Iterator[tuple[int, str, Json]]:
    for status, response in operation["responses"].items():
        for media_type, content in response.get("content", {}).items():
            yield int(status), media_type, content


def test_openapi_paths_are_the_table() -> None:
    assert OPERATIONS.keys() == ROUTES.keys()


def test_openapi_document_resolves_every_reference() -> None:
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert set(references(DOCUMENT)) <= known


def test_openapi_operations_have_names_of_their_own() -> None:
    assert len({operation["operationId"] for operation in OPERATIONS.values()}) == len(OPERATIONS)


@each
def test_openapi_operation_says_what_it_asks_for_and_what_it_does(route: tuple[str, str]) -> None:
    operation, permission = OPERATIONS[route], ROUTES[route]
    assert operation.get("x-permission") == (None if permission is PUBLIC else permission.value)
    assert ("security" in operation) is (permission is not PUBLIC)
    assert operation["summary"]
    assert operation["description"]


@each
def test_openapi_operation_says_how_it_fails(route: tuple[str, str]) -> None:
    failures = {status: content for status, kind, content in answers(OPERATIONS[route]) if kind == errors.MEDIA_TYPE}
    assert set(failures) >= ({503} if ROUTES[route] is PUBLIC else {401, 403, 404, 422, 429, 503})
    for status, content in failures.items():
        assert content["example"]["status"] == status
        assert fits(content["schema"], content["example"]) == []


@each
def test_openapi_operation_has_an_example_of_what_it_takes(route: tuple[str, str]) -> None:
    if "requestBody" in OPERATIONS[route]:
        content = OPERATIONS[route]["requestBody"]["content"]["application/json"]
        assert fits(content["schema"], content["example"]) == []


@each
def test_openapi_operation_has_an_example_of_what_it_answers(route: tuple[str, str]) -> None:
    good = [content for status, _, content in answers(OPERATIONS[route]) if status < 400]
    if not good:
        assert "204" in OPERATIONS[route]["responses"]
        return
    (content,) = good
    if not route[1].startswith(DESCRIPTION):
        assert fits(content["schema"], content["example"]) == []


def test_fits_with_planted_faults_finds_them() -> None:
    assert fits({"$ref": "#/components/schemas/Problem"}, {"status": "many"}) != []
