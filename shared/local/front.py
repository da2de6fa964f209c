"""The one address people use: the API, a page to try it on, and one that says what runs.

Ordinary routes go to the local API Gateway, so that a route missing in the template is missing here too. Routes that
stream are served from the function host, because MiniStack passes an answer on only when it is complete.
"""

import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from shared.local import docs
from shared.local.errors import InvokeFailed, LocalError, PayloadTooLarge, StreamBroken, Throttled
from shared.local.functions import FunctionStats
from shared.local.gateway_event import match, proxy_event
from shared.local.host import FunctionHost

log = logging.getLogger(__name__)

# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
MAX_BODY = 10 * 1024 * 1024
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
# They concern one connection, not the message (RFC 9110 section 7.6.1); lengths are set anew.
_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "proxy-connection",
    "content-length",
    "host",
}
_TIMEOUT = httpx.Timeout(None, connect=5.0)


@dataclass(frozen=True, slots=True)
class Backend:
    """What stands behind the front.

    Attributes:
        gateway_url: address of the deployed API, to which a path is appended.
        stream_routes: route pattern to function, for the routes that stream.
        describe: rows of the landing page: what runs, and where.
    """

    host: FunctionHost
    gateway_url: str
    stream_routes: Mapping[str, str]
    describe: Callable[[], list[tuple[str, str]]]


class Front:
    """Serves one backend; `application` is the ASGI application."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT, limits=httpx.Limits(max_connections=200, max_keepalive_connections=50)
        )
        self.application = Starlette(
            routes=[
                Route("/", self._landing),
                Route("/docs", self._try_out),
                Route("/docs/{name}", self._asset),
                Route("/{path:path}", self._api, methods=_METHODS),
            ]
        )

    async def close(self) -> None:
        """Closes the connections to the API Gateway."""
        await self._client.aclose()

    async def _landing(self, request: Request) -> Response:
        functions = [(one.name, _line(one)) for one in self._backend.host.stats()]
        return _html(docs.landing_page(self._backend.describe(), functions))

    async def _try_out(self, request: Request) -> Response:
        return _html(docs.try_out_page())

    async def _asset(self, request: Request) -> Response:
        found = docs.asset(request.path_params["name"])
        if found is None:
            return _message(404, "Not Found")
        return Response(found[0], media_type=found[1], headers={"Cache-Control": "max-age=3600"})

    async def _api(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode("latin-1")
        body = await _limited_body(request)
        if body is None:
            return _message(413, "Request Too Long")
        for pattern, function in self._backend.stream_routes.items():
            if match(pattern, path) is not None:
                return await self._stream(request, function, pattern, path, body)
        return await self._pass_on(request, path, body)

    async def _pass_on(self, request: Request, path: str, body: bytes) -> Response:
        query = request.scope["query_string"].decode("latin-1")
        url = f"{self._backend.gateway_url}{path}{'?' + query if query else ''}"
        headers = _forwarded(request)
        try:
            answer = await self._client.request(request.method, url, headers=headers, content=body)
        except httpx.TransportError:
            return _message(502, "The local API Gateway does not answer")
        response = Response(answer.content, answer.status_code)
        for name, value in answer.headers.multi_items():
            if name.lower() not in _HOP_BY_HOP and name.lower() != "content-encoding":
                response.headers.append(name, value)
        return response

    async def _stream(self, request: Request, function: str, pattern: str, path: str, body: bytes) -> Response:
        query = request.scope["query_string"].decode("latin-1")
        client = request.client.host if request.client else ""
        event = proxy_event(request.method, pattern, path, query, _forwarded(request), body, client)
        stack = contextlib.AsyncExitStack()
        try:
            answer = await stack.enter_async_context(self._backend.host.stream(function, event))
        except (Throttled, PayloadTooLarge, InvokeFailed) as error:
            return _message(_STATUS[type(error)], _WORDS[type(error)])

        async def body_then_close() -> AsyncIterator[bytes]:
            async with stack:
                async for piece in answer.body:
                    yield piece

        response = _BreakableResponse(body_then_close(), answer.status)
        for name, value in answer.headers:
            if name.lower() not in _HOP_BY_HOP:
                response.headers.append(name, value)
        return response


class _BreakableResponse(StreamingResponse):
    """A streamed answer that stops short when the function fails: a broken transfer, as behind API Gateway."""

    async def stream_response(self, send: Send) -> None:
        """Sends the start and the pieces, and the end only if there was one."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for piece in self.body_iterator:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except StreamBroken as error:
            log.warning("a streamed answer broke: %s", error.detail)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


_STATUS: dict[type[LocalError], int] = {Throttled: 429, PayloadTooLarge: 413, InvokeFailed: 502}
_WORDS: dict[type[LocalError], str] = {
    Throttled: "Too Many Requests",
    PayloadTooLarge: "Request Too Long",
    InvokeFailed: "Internal server error",
}


def _line(stats: FunctionStats) -> str:
    counts = (stats.invocations, stats.cold_starts, stats.errors, stats.processes)
    return "{} invocations, {} cold starts, {} errors, {} processes".format(*counts)


async def _limited_body(request: Request) -> bytes | None:
    """The body, or None when it is longer than API Gateway takes."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _forwarded(request: Request) -> list[tuple[str, str]]:
    """The client's headers with those that API Gateway adds."""
    headers = [(name, value) for name, value in request.headers.items() if name not in _HOP_BY_HOP]
    client = request.client.host if request.client else ""
    added = {
        "x-forwarded-for": client,
        "x-forwarded-proto": request.url.scheme,
        "x-forwarded-host": request.headers.get("host", ""),
    }
    return [(name, value) for name, value in headers if name not in added] + list(added.items())


def _message(status: int, text: str) -> Response:
    """An error in API Gateway's own words."""
    return Response(json.dumps({"message": text}), status, media_type="application/json")


def _html(page: str) -> Response:
    return HTMLResponse(page, headers={"Content-Security-Policy": docs.POLICY, "X-Content-Type-Options": "nosniff"})
