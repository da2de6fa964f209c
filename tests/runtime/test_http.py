"""HTTP doors: every answer is hardened, every error is a problem, nothing leaks."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import APIRouter

from shared.domain import errors
from shared.runtime import http, web
from shared.runtime.http import HttpFunction, http_function
from shared.runtime.routes import ROUTES
from shared.runtime.schemas import Body
from shared.settings import settings
from tests.runtime.contexts import FakeContext

type Lines = Callable[[], list[dict[str, Any]]]
RAISED: list[BaseException] = []


class Note(Body):
    text: str
    number: int = 0


def router() -> APIRouter:
    made = APIRouter(prefix=web.PREFIX)

    @made.get("/health/live")
    async def live() -> dict[str, str]:
        raise RAISED.pop()

    @made.post("/search")
    async def note(body: Note) -> Note:
        return body

    return made


@pytest.fixture
def function() -> Iterator[HttpFunction]:
    yield http_function(router())
    RAISED.clear()


def event(method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    sent = {"Host": "api.example.com", "Content-Type": "application/json", **(headers or {})}
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"identity": {"sourceIp": "198.51.100.23"}},
        "body": body,
        "isBase64Encoded": False,
    }


def problem(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert not answer["isBase64Encoded"]
    told: dict[str, Any] = json.loads(answer["body"])
    assert told["status"] == answer["statusCode"]
    assert told["type"] == f"urn:lambent:problem:{told['code']}"
    assert told["title"]
    assert told["request_id"] == "0c3a1f5e-test-request"
    return told


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.Invalid("x"), 422, "invalid"),
        (errors.InvalidCursor("x"), 422, "invalid_cursor"),
        (errors.Unauthenticated("x"), 401, "unauthenticated"),
        (errors.Forbidden("x"), 403, "forbidden"),
        (errors.NotFound("x", code="chat_not_found"), 404, "chat_not_found"),
        (errors.Conflict("x"), 409, "conflict"),
        (errors.TooLarge("x"), 413, "too_large"),
        (errors.RateLimited("x", seconds=2), 429, "rate_limited"),
        (errors.Rejected("x"), 422, "rejected"),
        (errors.Delayed("x", seconds=9.6), 503, "delayed"),
        (errors.Unavailable("x"), 503, "unavailable"),
        (errors.CommitUnknown("x"), 503, "commit_unknown"),
    ],
)
def test_error_of_ours_becomes_its_problem(function: HttpFunction, error: Exception, status: int, code: str) -> None:
    RAISED.append(error)
    answer = function(event("GET", "/api/v1/health/live"), FakeContext())
    told = problem(answer)
    assert (answer["statusCode"], told["code"], told["detail"]) == (status, code, "x")


def test_every_error_of_ours_has_a_status() -> None:
    from shared.runtime.errors import STATUS

    def tree(kind: type[errors.LambentError]) -> Iterator[type[errors.LambentError]]:
        for below in kind.__subclasses__():
            yield below
            yield from tree(below)

    unknown = {kind for kind in tree(errors.LambentError) if not any(known in STATUS for known in kind.__mro__)}
    assert unknown == {errors.Refused}


@pytest.mark.parametrize(
    ("error", "seconds"), [(errors.RateLimited("x", seconds=0.2), "1"), (errors.Delayed("x", seconds=9.6), "10")]
)
def test_error_that_waits_says_how_long(function: HttpFunction, error: Exception, seconds: str) -> None:
    RAISED.append(error)
    assert function(event("GET", "/api/v1/health/live"), FakeContext())["headers"]["retry-after"] == seconds


def test_unauthenticated_names_the_scheme(function: HttpFunction) -> None:
    RAISED.append(errors.Unauthenticated("x"))
    answer = function(event("GET", "/api/v1/health/live"), FakeContext())
    assert answer["headers"]["www-authenticate"] == 'Bearer realm="lambent"'


def test_request_whose_rights_have_changed_is_begun_again_once(function: HttpFunction, log_lines: Lines) -> None:
    RAISED.extend([errors.NotFound("begun again"), errors.StandingChanged()])
    told = problem(function(event("GET", "/api/v1/health/live"), FakeContext()))
    assert (told["status"], told["detail"]) == (404, "begun again")
    assert [line["event"] for line in log_lines()].count("request.started") == 1


def test_crash_answers_500_without_details_and_logs_them(function: HttpFunction, log_lines: Lines) -> None:
    RAISED.append(RuntimeError("password=hunter2"))
    told = problem(function(event("GET", "/api/v1/health/live"), FakeContext()))
    assert (told["status"], told["code"]) == (500, "internal_error")
    assert "hunter2" not in json.dumps(told)
    crashed = next(line for line in log_lines() if line["event"] == "request.crashed")
    assert "RuntimeError: password=hunter2" in crashed["exception"]
    assert crashed["request_id"] == told["request_id"]


@pytest.mark.parametrize(
    "path", ["/", "/api/v1", "/api/v1/nothing", "/api/v2/search", "/api/v1/search/", "/docs", "/openapi.json"]
)
def test_unknown_route_is_a_problem(function: HttpFunction, path: str) -> None:
    assert problem(function(event("GET", path), FakeContext()))["code"] == "route_not_found"


def test_unknown_method_is_a_problem(function: HttpFunction) -> None:
    told = problem(function(event("DELETE", "/api/v1/search"), FakeContext()))
    assert (told["status"], told["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"text": "x", "more": 1}', "body.more"),
        ('{"text": 1}', "body.text"),
        ("{}", "body.text"),
        ("[]", "body"),
        ("null", "body"),
        ("", "body"),
        (None, "body"),
        ('{"text": "x", "number": "many"}', "body.number"),
        ('{"text": "a\\u0000b"}', "body"),
        ('{"text": "\\ud800"}', "body"),
        ('{"text": "x", "\\ud800": 1}', "body"),
        ('{"te', "body.1"),
    ],
)
def test_body_that_does_not_fit_is_told_by_field(function: HttpFunction, body: str | None, field: str) -> None:
    told = problem(function(event("POST", "/api/v1/search", body), FakeContext()))
    assert (told["status"], told["code"]) == (422, "validation_failed")
    assert field in [one["field"] for one in told["errors"]]


def test_body_that_does_not_fit_is_not_repeated(function: HttpFunction) -> None:
    answer = function(event("POST", "/api/v1/search", '{"text": {"secret": "hunter2"}}'), FakeContext())
    assert "hunter2" not in answer["body"]


def test_body_of_invalid_utf8_is_a_problem(function: HttpFunction) -> None:
    sent = event("POST", "/api/v1/search", "/v8=") | {"isBase64Encoded": True}
    assert problem(function(sent, FakeContext()))["status"] == 422


def test_body_nested_without_end_is_a_problem(function: HttpFunction) -> None:
    deep = '{"text": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert problem(function(event("POST", "/api/v1/search", deep), FakeContext()))["status"] == 422


def test_body_at_the_limit_passes_and_over_it_is_refused(function: HttpFunction) -> None:
    limit = settings().max_body_bytes
    body = json.dumps({"text": "x" * (limit - 12)})
    assert len(body) == limit
    assert function(event("POST", "/api/v1/search", body), FakeContext())["statusCode"] == 200
    told = problem(function(event("POST", "/api/v1/search", body + " "), FakeContext()))
    assert (told["status"], told["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["/api/v1/search", "/nowhere"])
def test_every_answer_is_hardened(function: HttpFunction, path: str) -> None:
    headers = function(event("POST", path, '{"text": "x"}'), FakeContext())["headers"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["strict-transport-security"].startswith("max-age=31536000")


@pytest.mark.parametrize(
    "host", ["evil.example/api/v1/health?", "x#y", "a b", ":", "a:b", "[::1]:80", "a:1:2", "", "é"]
)
def test_host_header_neither_chooses_the_route_nor_breaks_it(function: HttpFunction, host: str) -> None:
    assert function(event("POST", "/nowhere", "{}", {"Host": host}), FakeContext())["statusCode"] == 404
    sent = event("POST", "/api/v1/search", '{"text": "x"}', {"Host": host, "X-Forwarded-Port": host})
    assert function(sent, FakeContext())["statusCode"] == 200


def test_headers_that_are_missing_altogether_are_none(function: HttpFunction) -> None:
    bare = event("GET", "/nowhere") | {"headers": None, "multiValueHeaders": None}
    assert function(bare, FakeContext())["statusCode"] == 404


def test_entry_and_exit_are_logged_with_status(function: HttpFunction, log_lines: Lines) -> None:
    function(
        event("POST", "/api/v1/search", '{"text": "private words"}', {"Authorization": "Bearer lam_x"}), FakeContext()
    )
    lines = log_lines()
    assert [line["event"] for line in lines] == ["request.started", "request.ended"]
    assert (lines[1]["method"], lines[1]["path"], lines[1]["status"]) == ("POST", "/api/v1/search", 200)
    assert lines[1]["ms"] >= 0
    assert all(line["request_id"] == "0c3a1f5e-test-request" for line in lines)
    assert "private words" not in json.dumps(lines)
    assert "lam_x" not in json.dumps(lines)


def test_body_of_unicode_survives(function: HttpFunction) -> None:
    answer = function(event("POST", "/api/v1/search", '{"text": "é😀\\u2028"}'), FakeContext())
    assert json.loads(answer["body"])["text"] == "é😀\u2028"


def preflight(origin: str) -> dict[str, Any]:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "Authorization",
    }
    return event("OPTIONS", "/api/v1/search", None, headers)


def test_origin_when_none_is_configured_is_not_let_in(function: HttpFunction) -> None:
    answer = function(preflight("https://app.example"), FakeContext())
    assert "access-control-allow-origin" not in answer["headers"]


def test_origin_that_is_configured_is_let_in_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings().model_copy(update={"cors_origins": "https://app.example,https://other.example"})
    monkeypatch.setattr(http, "settings", lambda: chosen)
    function = http_function(router())
    known = function(preflight("https://app.example"), FakeContext())
    assert (known["statusCode"], known["headers"]["access-control-allow-origin"]) == (200, "https://app.example")
    assert "access-control-allow-credentials" not in known["headers"]
    for stranger in ("https://app.example.evil.example", "http://app.example", "null"):
        answer = function(preflight(stranger), FakeContext())
        assert "access-control-allow-origin" not in answer["headers"]
    refused = function(
        event("POST", "/api/v1/search", "x" * 2_000_000, {"Origin": "https://app.example"}), FakeContext()
    )
    assert refused["statusCode"] == 413
    assert refused["headers"]["access-control-allow-origin"] == "https://app.example"


def test_route_table_knows_the_routes_used_here() -> None:
    assert {("GET", "/api/v1/health/live"), ("POST", "/api/v1/search")} <= ROUTES.keys()
