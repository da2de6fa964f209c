"""One OpenAPI document of every HTTP area, made from the functions' own routers."""

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

from starlette.routing import BaseRoute

from shared.runtime import auth
from shared.runtime.errors import MEDIA_TYPE, TITLES, Problem
from shared.runtime.routes import PUBLIC, ROUTES
from shared.runtime.web import APIRoute, Router

AREAS = (
    "health",
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
DESCRIPTION = """Documents in, cited answers out.

Every route but health asks for `Authorization: Bearer lam_…`. Errors are `application/problem+json` with a stable
`code`, what was wrong, and what to do. Lists are pages: send `next` back as `cursor`.
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
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, lam_…"}
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            operation["tags"] = [area_of[path]]
            _describe(operation, ROUTES[(method.upper(), path)], in_project=(method.upper(), path) in in_project)
    return document


def _operations(router: Router) -> Iterator[tuple[str, str, APIRoute]]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            for method in route.methods or ():
                yield method, route.path, route


def _works_in_project(route: APIRoute) -> bool:
    return any(needed.call in (auth.call, auth.caller) for needed in route.dependant.dependencies)


def _describe(operation: dict[str, Any], permission: object, *, in_project: bool) -> None:
    if in_project:
        operation.setdefault("parameters", []).append(
            {
                "name": auth.PROJECT_HEADER,
                "in": "header",
                "required": False,
                "description": "Which project, for a key that may use several.",
                "schema": {"type": "string", "format": "uuid"},
            }
        )
    if permission is not PUBLIC:
        operation["security"] = [{"key": []}]
        operation["x-permission"] = str(permission)
    for status in PROBLEMS if permission is not PUBLIC else ("503",):
        operation["responses"][status] = {
            "description": TITLES[int(status)],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
