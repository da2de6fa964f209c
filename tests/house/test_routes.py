"""Every route is in the permission table, in the API's description, and asks for a scope unless it is public."""

import importlib
from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from shared.domain.tenants import KEY_PERMISSIONS
from shared.runtime import auth, openapi
from shared.runtime.http import create_api
from shared.runtime.routes import PUBLIC, ROUTES, Access, area_of
from shared.runtime.schemas import Body
from shared.runtime.web import PREFIX
from tests.house.repository import functions

DOORS_TO_SCOPE = {auth.call, auth.tenant_call, auth.caller}
DOORS_TO_SELF = {auth.user_call, auth.user, auth.founder}
PUBLIC_ROUTES = {
    ("GET", "/api/v1/receipts/key"),
    ("GET", "/api/v1/health/live"),
    ("GET", "/api/v1/health"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/docs"),
    ("GET", "/api/v1/docs/redoc.js"),
    ("POST", "/api/v1/auth/register"),
    ("POST", "/api/v1/auth/verify"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/password/forgot"),
    ("POST", "/api/v1/auth/password/reset"),
    ("GET", "/api/v1/auth/providers"),
    ("POST", "/api/v1/auth/oidc/{provider}/start"),
    ("POST", "/api/v1/auth/oidc/{provider}/callback"),
}
"""Frozen: a further one is decided here, not by leaving something out."""


def router_of(area: str) -> APIRouter:
    router: APIRouter = importlib.import_module(f"functions.{area}.app").router
    return router


def served() -> dict[tuple[str, str], APIRoute]:
    found: dict[tuple[str, str], APIRoute] = {}
    for area in openapi.AREAS:
        for route in router_of(area).routes:
            assert isinstance(route, APIRoute)
            for method in route.methods or ():
                assert (method, route.path) not in found
                found[method, route.path] = route
    return found


SERVED = served()


def dependencies(dependant: Dependant) -> Iterator[object]:
    for one in dependant.dependencies:
        yield one.call
        yield from dependencies(one)


def test_routes_served_are_the_table() -> None:
    assert SERVED.keys() == ROUTES.keys()


def test_routes_public_are_frozen() -> None:
    assert {route for route, permission in ROUTES.items() if permission is PUBLIC} == PUBLIC_ROUTES


def test_areas_are_every_function_with_a_router() -> None:
    with_router = {name for name in functions() if hasattr(importlib.import_module(f"functions.{name}.app"), "router")}
    assert set(openapi.AREAS) == with_router


@pytest.mark.parametrize(("method", "path"), sorted(SERVED))
def test_route_stays_in_its_area(method: str, path: str) -> None:
    # Access lists are the same of all that has them.
    rooms = (f"functions.{area_of(path)}", "shared.runtime")
    assert SERVED[method, path].endpoint.__module__.rpartition(".")[0] in rooms


@pytest.mark.parametrize(("method", "path"), sorted(SERVED))
def test_route_asks_for_a_scope_unless_public(method: str, path: str) -> None:
    asked = set(dependencies(SERVED[method, path].dependant))
    own = ROUTES[method, path] is Access.SIGNED_IN
    assert len(DOORS_TO_SCOPE & asked) == (0 if own or (method, path) in PUBLIC_ROUTES else 1)
    assert len(DOORS_TO_SELF & asked) == (1 if own else 0)


@pytest.mark.parametrize(("method", "path"), sorted(SERVED))
def test_route_permission_can_be_given_to_a_key(method: str, path: str) -> None:
    assert ROUTES[method, path] in (PUBLIC, Access.SIGNED_IN) or ROUTES[method, path] in KEY_PERMISSIONS


@pytest.mark.parametrize(("method", "path"), sorted(SERVED))
def test_route_body_is_a_model_that_refuses_unknown_fields(method: str, path: str) -> None:
    for field in SERVED[method, path].dependant.body_params:
        model = field.field_info.annotation
        assert isinstance(model, type)
        assert issubclass(model, Body)


@pytest.mark.parametrize(("method", "path"), sorted(SERVED))
def test_route_answers_a_model_or_nothing_or_a_class_of_its_own(method: str, path: str) -> None:
    route = SERVED[method, path]
    if route.status_code == 204 or not isinstance(route.response_class, DefaultPlaceholder):
        return
    model = route.response_model
    answered = getattr(model, "__args__", (model,))[0]
    assert isinstance(answered, type)
    assert issubclass(answered, BaseModel)


def test_create_api_with_route_outside_the_table_refuses() -> None:
    router = APIRouter(prefix=PREFIX)

    @router.get("/secrets")
    async def secrets() -> None:
        """Not in the table."""

    with pytest.raises(RuntimeError, match="no entry in the route table"):
        create_api(router)
