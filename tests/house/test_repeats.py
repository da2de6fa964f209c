"""Of every POST it is decided what becomes of it when it is sent twice, and what was decided is so."""

import pytest

from shared.runtime import auth
from shared.runtime.repeats import NEEDS_NO_KEY, ONCE, Again
from shared.runtime.routes import PUBLIC, ROUTES
from shared.runtime.schemas import ShownOnce
from tests.house.test_openapi import OPERATIONS
from tests.house.test_routes import SERVED, dependencies

POSTS = {path for method, path in ROUTES if method == "POST"}
CLAIMING = {auth.call, auth.tenant_call, auth.caller, auth.user_call, auth.founder}
"""What claims the key of a request before its work begins."""
SEVERAL_TRANSACTIONS = {Again.EXCHANGE, Again.EXCHANGE_EVENTS}
"""Kept by the last of them; what takes one is kept by its door."""
SECRETS = {"secret", "token", "access_token", "refresh_token", "password"}


def test_every_post_is_decided_once() -> None:
    undecided = POSTS - ONCE.keys() - NEEDS_NO_KEY.keys()
    assert not undecided, f"say in shared/runtime/repeats.py what becomes of it when it is sent twice: {undecided}"
    assert ONCE.keys() | NEEDS_NO_KEY.keys() == POSTS
    assert not ONCE.keys() & NEEDS_NO_KEY.keys()


@pytest.mark.parametrize("path", sorted(POSTS))
def test_post_that_makes_something_takes_a_key(path: str) -> None:
    made = SERVED["POST", path].status_code == 201
    # Whoever confirms a registration has no credential yet.
    assert not made or path in ONCE or ROUTES["POST", path] is PUBLIC


@pytest.mark.parametrize("path", sorted(ONCE))
def test_route_with_a_key_claims_it_once(path: str) -> None:
    (claiming,) = CLAIMING & set(dependencies(SERVED["POST", path].dependant))
    assert (claiming is auth.caller) is (ONCE[path] in SEVERAL_TRANSACTIONS)


@pytest.mark.parametrize("path", sorted(ONCE))
def test_secret_of_an_answer_is_not_kept(path: str) -> None:
    model = SERVED["POST", path].response_model
    shown = isinstance(model, type) and issubclass(model, ShownOnce)
    assert shown is (ONCE[path] is Again.SHOWN_ONCE)
    others = SECRETS & set(getattr(model, "model_fields", {})) - {"secret" if shown else ""}
    assert not others


@pytest.mark.parametrize("path", sorted(POSTS))
def test_operation_says_whether_it_takes_a_key(path: str) -> None:
    operation = OPERATIONS["POST", path]
    names = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}
    assert ("Idempotency-Key" in names) is (path in ONCE)
    good = [response for status, response in operation["responses"].items() if status.startswith("2")]
    assert all(("Idempotent-Replayed" in one.get("headers", {})) is (path in ONCE) for one in good)
    assert ("400" in operation["responses"]) is (path in ONCE)
