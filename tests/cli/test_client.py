"""One HTTP client: what is repeated, and how errors read."""

from collections.abc import Callable

import httpx
import pytest

from shared.cli.address import Address
from shared.cli.client import MAX_TRIES, Client
from shared.cli.credentials import Key
from shared.cli.errors import ApiProblem, NotLambent, Unreachable

PROBLEM = {
    "type": "t",
    "title": "Busy",
    "status": 503,
    "code": "unavailable",
    "detail": "the database sleeps",
    "hint": "wait",
}


class Remote:
    """Answers with what it is given, in turn; the last answer stays."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def client_of(
    remote: Callable[[httpx.Request], httpx.Response], url: str = "https://api.example.com/live"
) -> tuple[Client, list[float]]:
    slept: list[float] = []
    http = httpx.Client(transport=httpx.MockTransport(remote))
    return Client(Address(url, Key("lam_key"), "p1"), http, slept.append), slept


def test_call_sends_key_project_and_path() -> None:
    remote = Remote(httpx.Response(200, json={"a": 1}))
    assert client_of(remote)[0].call("GET", "/documents", params={"limit": 1}) == {"a": 1}
    request = remote.seen[0]
    assert str(request.url) == "https://api.example.com/live/api/v1/documents?limit=1"
    assert request.headers["authorization"] == "Bearer lam_key"
    assert request.headers["lambent-project"] == "p1"


def test_call_no_content_is_none() -> None:
    assert client_of(Remote(httpx.Response(204)))[0].call("DELETE", "/chats/1") is None


def test_call_too_many_requests_waits_as_told_and_goes_on() -> None:
    remote = Remote(httpx.Response(429, json=PROBLEM, headers={"Retry-After": "3"}), httpx.Response(200, json={}))
    client, slept = client_of(remote)
    client.call("POST", "/chats", json={})
    assert slept == [3.0]


def test_call_unavailable_is_repeated_for_get_with_growing_waits() -> None:
    remote = Remote(httpx.Response(503, json=PROBLEM))
    client, slept = client_of(remote)
    with pytest.raises(ApiProblem, match="the database sleeps"):
        client.call("GET", "/documents")
    assert slept == [0.5, 1.0, 2.0]
    assert len(remote.seen) == MAX_TRIES


def test_call_unavailable_is_not_repeated_for_post() -> None:
    remote = Remote(httpx.Response(503, json=PROBLEM))
    with pytest.raises(ApiProblem):
        client_of(remote)[0].call("POST", "/chats", json={})
    assert len(remote.seen) == 1


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadTimeout("no answer"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(504, json={"message": "Endpoint request timed out"}),
        httpx.Response(409, json={**PROBLEM, "status": 409, "code": "idempotency_in_progress"}),
    ],
    ids=["timeout", "cut", "gateway", "under way"],
)
def test_call_once_is_repeated_with_its_key(lost: httpx.Response | Exception) -> None:
    remote = Remote(lost, lost, httpx.Response(201, json={"id": 1}))
    client, slept = client_of(remote)
    assert client.call("POST", "/chats", json={}, once=True) == {"id": 1}
    keys = [request.headers["idempotency-key"] for request in remote.seen]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert len(slept) == 2
    client.call("POST", "/chats", json={}, once=True)
    assert remote.seen[-1].headers["idempotency-key"] != keys[0]


def test_call_without_once_sends_no_key() -> None:
    remote = Remote(httpx.Response(200, json={}))
    client_of(remote)[0].call("POST", "/search", json={}, repeatable=True)
    assert "idempotency-key" not in remote.seen[0].headers


def test_call_once_with_a_conflict_is_not_repeated() -> None:
    remote = Remote(httpx.Response(409, json={**PROBLEM, "status": 409, "code": "name_taken"}))
    with pytest.raises(ApiProblem):
        client_of(remote)[0].call("POST", "/projects", json={}, once=True)
    assert len(remote.seen) == 1


def test_call_broken_connection_is_repeated_for_get() -> None:
    remote = Remote(httpx.ReadError("reset"), httpx.Response(200, json={}))
    assert client_of(remote)[0].call("GET", "/documents") == {}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ReadTimeout("slow"), "did not answer in time"),
        (httpx.ReadError("reset"), "broke: reset"),
        (httpx.ConnectError("no"), "nothing answers"),
    ],
)
def test_call_transport_errors_become_words(error: Exception, words: str) -> None:
    with pytest.raises(Unreachable, match=words):
        client_of(Remote(error))[0].call("POST", "/chats", json={})


def test_call_remote_that_cannot_be_reached_does_not_advise_lambent_up() -> None:
    with pytest.raises(Unreachable) as caught:
        client_of(Remote(httpx.ConnectError("no")))[0].call("GET", "/documents")
    assert "lambent up" not in caught.value.hint


def test_call_gateway_words_become_a_problem() -> None:
    with pytest.raises(ApiProblem, match="status 403, the gateway knows no such route") as caught:
        client_of(Remote(httpx.Response(403, json={"message": "Missing Authentication Token"})))[0].call(
            "GET", "/documents"
        )
    assert "Missing Authentication Token" in caught.value.detail
    assert caught.value.code == "gateway_403"


def test_call_page_of_html_is_not_this_api() -> None:
    with pytest.raises(NotLambent, match="text/html"):
        client_of(Remote(httpx.Response(200, html="<p>hello")))[0].call("GET", "/documents")


def test_call_error_page_of_html_is_a_problem_with_its_status() -> None:
    with pytest.raises(ApiProblem, match="status 404"):
        client_of(Remote(httpx.Response(404, html="<p>gone")))[0].call("GET", "/documents")


def test_stream_refused_is_a_problem() -> None:
    client, _ = client_of(Remote(httpx.Response(401, json={**PROBLEM, "code": "unauthenticated"})))
    with pytest.raises(ApiProblem) as caught, client.stream("/streams/chats/1/messages", {}):
        pass
    assert caught.value.code == "unauthenticated"


def test_stream_that_is_no_stream_is_not_this_api() -> None:
    client, _ = client_of(Remote(httpx.Response(200, json={})))
    with pytest.raises(NotLambent), client.stream("/streams/chats/1/messages", {}):
        pass


def test_stream_yields_lines() -> None:
    answer = httpx.Response(
        200, content=b"event: delta\ndata: 1\n\n", headers={"content-type": "text/event-stream; charset=utf-8"}
    )
    client, _ = client_of(Remote(answer))
    with client.stream("/streams/chats/1/messages", {}) as lines:
        assert [*lines] == ["event: delta", "data: 1", ""]
