"""One HTTP client for the API: errors become words, what may be repeated is repeated."""

import platform
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import httpx

from shared.cli.address import Address, is_loopback
from shared.cli.connections import open_http
from shared.cli.errors import ApiProblem, CliError, NotLambent, Unreachable

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
# A first answer may wait for a database that wakes up, and a model may think for minutes between two words.
STREAM_TIMEOUT = httpx.Timeout(300.0, connect=10.0)
KEY_HEADER = "Idempotency-Key"
UNDER_WAY = "idempotency_in_progress"
MAX_TRIES = 4
PAGE = 200
"""Rows asked for at a time."""
MAX_WAIT_SECONDS = 20.0
_FIRST_WAIT_SECONDS = 0.5
_GATEWAY_WORDS = {
    401: "the gateway wants a credential",
    403: "the gateway knows no such route, or refuses it",
    404: "there is nothing at this address",
    413: "the request is larger than the gateway takes",
    429: "too many requests",
    502: "the function behind this route crashed or did not start",
    503: "the service is not available right now",
    504: "the function did not answer in time",
}


class Client:
    """Speaks to one address.

    Args:
        address: whom to talk to.
        http: a client of httpx, for tests; made when not given.
        sleep: how to wait between two tries, in seconds.
    """

    def __init__(
        self, address: Address, http: httpx.Client | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.address = address
        self._sleep = sleep
        self._http = http or open_http(address.url, TIMEOUT)
        self._headers = {"Accept": "application/json", "User-Agent": f"lambent ({platform.system()})"}
        if address.project:
            self._headers["Lambent-Project"] = address.project
        if address.org:
            self._headers["Lambent-Org"] = address.org

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        params: Mapping[str, str | int] | None = None,
        repeatable: bool | None = None,
        once: bool = False,
    ) -> Any:
        """One request to a route.

        Args:
            method: of HTTP.
            path: after `/api/v1`.
            json: the body.
            params: of the query.
            repeatable: whether a request that may have been carried out may be sent again; None: GET and DELETE may.
            once: it makes something, so it carries a key by which the API does it once; then it may be sent again.

        Returns:
            The decoded body; None when there is none.

        Raises:
            Unreachable: nobody answers.
            ApiProblem: the API refused or failed.
            NotLambent: what answered is not this API.
        """
        again = once or (method in {"GET", "DELETE"} if repeatable is None else repeatable)
        key = {KEY_HEADER: str(uuid.uuid4())} if once else {}
        for attempt in range(MAX_TRIES):
            last = attempt == MAX_TRIES - 1
            try:
                return self._as_somebody(
                    lambda headers: _decoded(
                        self._http.request(
                            method, self.address.api + path, json=json, params=params, headers={**headers, **key}
                        )
                    )
                )
            except ApiProblem as problem:
                # 429 was never carried out; the others may have been, or are being at this moment.
                begun = problem.status in {502, 503, 504} or problem.code == UNDER_WAY
                if last or not (problem.status == 429 or (again and begun)):
                    raise
                wait = problem.retry_after
            except httpx.ConnectError as error:
                raise _unreachable(self.address, error) from error
            except httpx.TransportError as error:
                if last or not again:
                    raise _unreachable(self.address, error) from error
                wait = None
            self._sleep(min(MAX_WAIT_SECONDS, wait if wait is not None else _FIRST_WAIT_SECONDS * 2**attempt))
        raise AssertionError("the last try returns or raises")

    def pages(self, path: str, params: Mapping[str, str] | None = None, page: int = PAGE) -> Iterator[Any]:
        """Every row of a listing, page by page.

        Raises:
            Unreachable, ApiProblem, NotLambent: as `call`.
        """
        cursor: str | None = None
        while True:
            asked: dict[str, str | int] = {**(params or {}), "limit": page}
            if cursor:
                asked["cursor"] = cursor
            found = self.call("GET", path, params=asked)
            yield from found["items"]
            cursor = found["next"]
            if cursor is None:
                return

    @contextmanager
    def stream(self, path: str, json: object = None, *, last_event: str = "") -> Iterator[Iterator[str]]:
        """Ask a route that answers with server-sent events; yields the lines of the answer while they come.

        Args:
            path: after `/api/v1`.
            json: a body to POST; None: GET.
            last_event: id of the last event that was seen of this stream.

        Raises:
            Unreachable, ApiProblem, NotLambent: as `call`.
        """
        more = {"Accept": "text/event-stream", **({"Last-Event-ID": last_event} if last_event else {})}
        method = "GET" if json is None else "POST"
        try:
            response = self._as_somebody(lambda headers: self._opened(method, path, json, {**headers, **more}))
            with closing(response):
                yield response.iter_lines()
        except httpx.TransportError as error:
            raise _unreachable(self.address, error) from error

    def _opened(self, method: str, path: str, json: object, headers: Mapping[str, str]) -> httpx.Response:
        """A response that is read while it comes."""
        request = self._http.build_request(
            method, self.address.api + path, json=json, headers=headers, timeout=STREAM_TIMEOUT
        )
        response = self._http.send(request, stream=True)
        if response.is_success and response.headers.get("content-type", "").startswith("text/event-stream"):
            return response
        with closing(response):
            response.read()
            _decoded(response)
            raise _not_lambent(response)

    def _as_somebody[T](self, ask: Callable[[Mapping[str, str]], T]) -> T:
        """Ask with a credential; once more with a renewed one when the API does not know what was sent."""
        secret = self.address.credential.secret()
        try:
            return ask(self._sent(secret))
        except ApiProblem as problem:
            unknown = problem.status == 401 and problem.code == "unauthenticated"
            if not unknown or not self.address.credential.renew(secret, self._exchange):
                raise
        return ask(self._sent(self.address.credential.secret()))

    def _sent(self, secret: str) -> dict[str, str]:
        return {**self._headers, "Authorization": f"Bearer {secret}"} if secret else self._headers

    def _exchange(self, refresh_token: str) -> Any:
        try:
            answer = self._http.post(f"{self.address.api}/auth/refresh", json={"refresh_token": refresh_token})
        except httpx.TransportError as error:
            raise _unreachable(self.address, error) from error
        return _decoded(answer)


def _decoded(response: httpx.Response) -> Any:
    if response.status_code == 204:
        return None
    try:
        body = response.json()
    except ValueError as error:
        if response.is_success:
            raise _not_lambent(response) from error
        raise ApiProblem(response.status_code, _gateway_problem(response, "")) from error
    if response.is_success:
        return body
    if not isinstance(body, dict) or "code" not in body:
        message = body.get("message", "") if isinstance(body, dict) else ""
        raise ApiProblem(
            response.status_code, _gateway_problem(response, str(message)), retry_after=_retry_after(response)
        )
    raise ApiProblem(response.status_code, body, retry_after=_retry_after(response))


def _gateway_problem(response: httpx.Response, message: str) -> dict[str, object]:
    """An answer of whatever stands before the API, in the API's form."""
    words = _GATEWAY_WORDS.get(response.status_code, "the request was not answered by the API")
    said = f" (it said: {message[:200]})" if message else ""
    where = f"{response.request.method} {response.request.url.path}"
    return {
        "code": f"gateway_{response.status_code}",
        "detail": f"{where}: status {response.status_code}, {words}{said}",
        "hint": "see what the functions wrote: lambent logs"
        if response.status_code >= 500
        else "check the address given with --url",
        "request_id": response.headers.get("x-amzn-requestid", ""),
    }


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdigit() else None


def _unreachable(address: Address, error: httpx.TransportError) -> CliError:
    local = is_loopback(address.url)
    hint = "start it with: lambent up --detach" if local else "check the address, and whether this machine reaches it"
    if isinstance(error, httpx.ConnectError):
        return Unreachable(f"nothing answers at {address.url}", code="unreachable", hint=hint)
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(
            f"{address.url} did not answer in time",
            code="timed_out",
            hint="try again; lambent health tells which part is slow",
        )
    return Unreachable(f"the connection to {address.url} broke: {error}", code="connection_broken", hint="try again")


def _not_lambent(response: httpx.Response) -> CliError:
    kind = response.headers.get("content-type", "nothing readable").partition(";")[0]
    return NotLambent(
        f"{response.request.url} answered with {kind}, which is not this API's way",
        code="not_lambent",
        hint="--url takes the base of the API, to which /api/v1 is appended",
    )
