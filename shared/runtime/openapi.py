"""One OpenAPI document of every HTTP area, made from the functions' own routers and the examples of each route."""

import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from shared.domain import errors
from shared.domain.tenants import Permission
from shared.runtime import auth
from shared.runtime.errors import MEDIA_TYPE, STATUS, TITLES, Problem
from shared.runtime.named import ORG_HEADER, PROJECT_HEADER
from shared.runtime.rates import HEADERS
from shared.runtime.repeats import ONCE, Again
from shared.runtime.routes import PUBLIC, ROUTES
from shared.runtime.web import APIRoute, Router

AREAS = (
    "health",
    "auth",
    "users",
    "orgs",
    "projects",
    "receipts",
    "collections",
    "reindexes",
    "documents",
    "search",
    "chats",
    "ingestions",
    "webhooks",
    "streams",
)
PROBLEMS = ("401", "403", "404", "409", "413", "422", "429", "503")
EXAMPLES = Path(__file__).parent / "examples"
"""Request and response of every route, by area; `tests/functions/recorded.py` writes what the API answers."""
WRONG: Mapping[type[errors.LambentError], tuple[str, str]] = {
    errors.InvalidKey: ("an idempotency key has 1 to 255 printable characters", "send one, a UUID say"),
    errors.Unauthenticated: ("no valid credential was sent", "send the header Authorization: Bearer lam_…"),
    errors.Forbidden: ("this credential lacks the permission documents:write", "use a credential that has it"),
    errors.NotFound: ("no such document", ""),
    errors.Conflict: ("there is a project named 'default' already", ""),
    errors.TooLarge: ("the body is over 1048576 bytes", "files go through an upload form, not through the API"),
    errors.Invalid: ("limit must be between 1 and 100", "the API's page shows each field"),
    errors.RateLimited: ("too many requests from this address", "try again in 12 s"),
    errors.Unavailable: ("the database cannot be reached", "try again in a moment"),
}
"""An example of each kind of error: what was wrong, and what to do."""
DESCRIPTION = """Documents in, cited answers out.

Every route but health, and those by which one comes in, asks for `Authorization: Bearer …`: an API key (`lam_…`), or
the access token of a signed-in user. Errors are `application/problem+json` with a stable
`code`, what was wrong, and what to do. Lists are pages: send `next` back as `cursor`.

A POST that makes or sends something takes the header `Idempotency-Key`: with the same key the same request is done
once, however often it is sent within a day, by however many at a time. Sent again it is answered as it was, with
`Idempotent-Replayed: true`; while it is under way with 409 `idempotency_in_progress` and `Retry-After`; and another
request under its key, which is one with another route, query, project or body, with 409 `idempotency_key_reused`. Keys
belong to the credential (to a user, whichever session they come by). What is kept is the answer of a request that was
carried out: success, and refusals by how things stood (403, 404, 409). One that was malformed, not allowed or broke off
(400, 401, 422, 429, 5xx) may be sent again with the same key. Secrets are not kept: an answer that showed one comes
back without it.

Those by which one comes in know no credential yet, and take no key: registering is answered the same however often,
and codes are good once.
"""


def merged(areas: Sequence[str] = AREAS) -> dict[str, Any]:
    """The OpenAPI document of all areas, with the credential and the errors of every route."""
    # Only whoever describes the API needs this, no function that answers.
    from fastapi.openapi.utils import get_openapi

    routes: list[BaseRoute] = []
    area_of: dict[str, str] = {}
    in_project: set[tuple[str, str]] = set()
    for area in areas:
        # The router's name is the one thing every area's module has in common.
        router: Router = importlib.import_module(f"functions.{area}.app").router
        routes += router.routes
        area_of |= {path: area for _, path, _ in _operations(router)}
        in_project |= {(method, path) for method, path, route in _operations(router) if _works_in_project(route)}
    document = get_openapi(title="Lambent", version="1", description=DESCRIPTION, routes=routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    document["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, lam_…, or an access token"}
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            operation["tags"] = [area_of[path]]
            again = ONCE.get(path) if method == "post" else None
            _describe(operation, ROUTES[(method.upper(), path)], again, in_project=(method.upper(), path) in in_project)
            _exemplify(operation, examples(area_of[path]).get(f"{method.upper()} {path}", {}))
    return document


@cache
def examples(area: str) -> Mapping[str, Mapping[str, Any]]:
    """Request, status and response of an area's routes, by `METHOD path`."""
    kept = EXAMPLES / f"{area}.json"
    found: dict[str, Mapping[str, Any]] = json.loads(kept.read_text("utf-8")) if kept.is_file() else {}
    return found


def _exemplify(operation: dict[str, Any], example: Mapping[str, Any]) -> None:
    if "request" in example:
        operation["requestBody"]["content"]["application/json"]["example"] = example["request"]
    answered = operation["responses"].get(str(example.get("status")), {})
    for media_type, content in answered.get("content", {}).items():
        content["example"] = example["response"]
        if media_type == "text/event-stream":
            # Some readers take the schema for that of the whole, some for that of each event.
            content["schema"] = {"description": "Server-sent events; the data of each is JSON."}


def _operations(router: Router) -> Iterator[tuple[str, str, APIRoute]]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            for method in route.methods or ():
                yield method, route.path, route


def _works_in_project(route: APIRoute) -> bool:
    return any(needed.call in (auth.call, auth.caller) for needed in route.dependant.dependencies)


def _describe(operation: dict[str, Any], permission: object, again: Again | None, *, in_project: bool) -> None:
    if in_project:
        operation.setdefault("parameters", []).append(
            {
                "name": PROJECT_HEADER,
                "in": "header",
                "required": False,
                "description": "Which project, for a credential that may use several.",
                "schema": {"type": "string", "format": "uuid"},
            }
        )
    if isinstance(permission, Permission):
        operation.setdefault("parameters", []).append(
            {
                "name": ORG_HEADER,
                "in": "header",
                "required": False,
                "description": "Which organisation, for a user who belongs to several.",
                "schema": {"type": "string", "format": "uuid"},
            }
        )
    if again is not None:
        _idempotent(operation, again)
    if permission is not PUBLIC:
        operation["security"] = [{"key": []}]
        operation["x-permission"] = str(permission)
    if permission is not PUBLIC:
        _limit(operation)
    for status in PROBLEMS if permission is not PUBLIC or "requestBody" in operation else ("503",):
        operation["responses"][status] = _failure(int(status))


def _failure(status: int) -> dict[str, Any]:
    """The description of a problem."""
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": _problem(status)}
    return {"description": TITLES[status], "content": {MEDIA_TYPE: content}}


def _idempotent(operation: dict[str, Any], again: Again) -> None:
    """The header with which the operation is done once."""
    operation.setdefault("parameters", []).append(
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": f"Done once with one key within a day; sent again it is answered {again}.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
        }
    )
    words = "The request was carried out before: this is its answer again."
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            response["headers"] = {
                "Idempotent-Replayed": {"description": words, "schema": {"type": "string", "enum": ["true"]}}
            }
    operation["responses"]["400"] = _failure(400)


def _limit(operation: dict[str, Any]) -> None:
    """What the headers say about how often one may ask."""
    for response in operation["responses"].values():
        told = {name: {"description": words, "schema": {"type": "string"}} for name, words in HEADERS.items()}
        response["headers"] = response.get("headers", {}) | told


@cache
def _problem(status: int) -> Mapping[str, Any]:
    kind = next(kind for kind in WRONG if STATUS[kind] == status)
    detail, hint = WRONG[kind]
    example = Problem(
        type=f"urn:lambent:problem:{kind.code}",
        title=TITLES[status],
        status=status,
        code=kind.code,
        detail=detail,
        hint=hint,
        request_id="7d1c9a52-3b0e-4f6a-9c11-0c2f6b8e4d10",
    )
    return example.model_dump()
