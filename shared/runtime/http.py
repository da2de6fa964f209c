"""HTTP doors: a router becomes a Lambda function."""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

import structlog
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.types import ASGI
from mangum.types import LambdaContext as MangumContext
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.domain.errors import LambentError, StandingChanged, TooLarge
from shared.runtime import errors
from shared.runtime.invocation import LambdaContext, event_loop, invocation
from shared.runtime.rates import HEADERS, told
from shared.runtime.routes import ROUTES
from shared.runtime.web import AHEAD, KEY_HEADER, APIRoute, APIRouter, FastAPI, RequestValidationError
from shared.settings import settings

HARDENING = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
)

log = structlog.get_logger()

type HttpFunction = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def create_api(router: APIRouter, title: str = "Lambent") -> FastAPI:
    """A FastAPI application of one area, with every error a problem and every route in the permission table.

    Raises:
        RuntimeError: a route that `shared.runtime.routes.ROUTES` does not know.
    """
    api = FastAPI(
        title=title,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    # Not `include_router`, which works every route out a second time to add a prefix and dependencies: there are none.
    api.router.routes.extend(router.routes)
    api.add_exception_handler(LambentError, errors.on_lambent_error)
    api.add_exception_handler(RequestValidationError, errors.on_validation_error)
    api.add_exception_handler(HTTPException, errors.on_http_exception)
    api.add_exception_handler(Exception, errors.on_crash)
    for method, path in routes_of(router):
        if (method, path) not in ROUTES:
            raise RuntimeError(f"{method} {path} has no entry in the route table")
    return api


def routes_of(router: APIRouter) -> list[tuple[str, str]]:
    """Method and path template of every route of an area."""
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    return [(method, route.path) for route in routes for method in sorted(route.methods or ())]


def hardened_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of a response with those of `HARDENING` that it does not set itself."""
    own = list(headers)
    named = {name for name, _ in own}
    return own + [one for one in HARDENING if one[0] not in named]


class Guard:
    """The outermost layer.

    Logs entry and exit, limits the body, hardens headers, and answers even for what nobody foresaw.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        """Wrap an application.

        Args:
            app: the application within.
            max_body_bytes: longer request bodies are refused with 413.
        """
        self.app = app
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        status, complete, started = 0, False, time.perf_counter()

        async def hardened(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                own = [*message["headers"], *told(scope)]
                message = {**message, "headers": hardened_headers(own)}
            else:
                complete = not message.get("more_body", False)
            await send(message)

        _soon("request.started", method=scope["method"], path=scope["path"])
        try:
            if _length(scope) > self.max_body_bytes:
                error = TooLarge(
                    f"the body is over {self.max_body_bytes} bytes",
                    hint="files go through an upload form, not through the API",
                )
                await errors.of_error(_request_id(scope), error)(scope, receive, hardened)
            elif scope["method"] == "POST" and any(name == KEY_HEADER for name, _ in scope["headers"]):
                from shared.runtime.idempotency import once

                await once(self.app, scope, receive, hardened)
            else:
                await self._answer(scope, receive, hardened)
        except Exception:
            log.exception("request.crashed")
            if not status:
                await errors.of_crash(_request_id(scope))(scope, receive, hardened)
            elif not complete:
                # Half an answer is out: whoever sends it must know that it broke off.
                raise
        finally:
            spent = round((time.perf_counter() - started) * 1000, 2)
            _soon("request.ended", method=scope["method"], path=scope["path"], status=status, ms=spent)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET":
            scope[AHEAD] = True
            try:
                await self.app(scope, receive, send)
            except StandingChanged:
                # Before anything was sent, and a GET changes nothing: it is asked again as if it were the first.
                scope[AHEAD] = False
            else:
                return
        await self.app(scope, receive, send)


def _soon(event: str, **values: object) -> None:
    """Write a line when something is waited for next, at the latest when the request is over: it costs no time then.

    The lines of a request stay in their order.
    """
    asyncio.get_running_loop().call_soon(partial(log.info, event, **values))


def _request_id(scope: Scope) -> str:
    return getattr(scope.get("aws.context"), "aws_request_id", "")


def _length(scope: Scope) -> int:
    """Bytes of the body: what the event holds when there is one, else what the header says."""
    body = scope.get("aws.event", {}).get("body")
    if body is not None:
        return len(body)
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    declared = headers.get(b"content-length", b"0")
    return int(declared) if declared.isdigit() else 0


def door(router: APIRouter) -> ASGIApp:
    """The whole ASGI application of one area; browsers of the configured origins, and no others, may call it."""
    chosen = settings()
    app: ASGIApp = Guard(create_api(router), chosen.max_body_bytes)
    origins = [origin for origin in chosen.cors_origins.split(",") if origin]
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "Lambent-Org",
            "Lambent-Project",
            "Last-Event-ID",
        ],
        expose_headers=["Idempotent-Replayed", "Retry-After", *HEADERS],
        max_age=3600,
    )


ADDRESS = {"host": re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?"), "x-forwarded-port": re.compile(r"\d{1,5}")}
"""Headers that Mangum takes apart, and what it can."""


def readable(event: dict[str, Any]) -> dict[str, Any]:
    """The event without an address in its headers that Mangum would stumble over; nothing here depends on either."""

    def kept(headers: Mapping[str, Any] | None) -> dict[str, Any]:
        return {name: value for name, value in (headers or {}).items() if _is_address(name, value)}

    return {
        **event,
        "headers": kept(event.get("headers")),
        "multiValueHeaders": kept(event.get("multiValueHeaders")),
    }


def _is_address(name: str, value: object) -> bool:
    shape = ADDRESS.get(name.lower())
    values = value if isinstance(value, list) else [value]
    return shape is None or all(shape.fullmatch(str(one)) for one in values)


def http_function(router: APIRouter) -> HttpFunction:
    """The Lambda handler of one HTTP area."""
    event_loop()
    text = [*DEFAULT_TEXT_MIME_TYPES, errors.MEDIA_TYPE]
    adapter = Mangum(cast(ASGI, door(router)), lifespan="off", text_mime_types=text)

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        with invocation(context, "http", announced=True):
            # Mangum declares more of the context than it reads.
            return adapter(readable(event), cast(MangumContext, context))

    return handler
