"""FastAPI as the doors use it: worked out only as far as the one request of a cold start needs.

Importing FastAPI makes models and validators for the whole vocabulary of OpenAPI, making a route builds a validator
for each of its parameters and loads a Pydantic that nobody uses: together about 170 ms of a first answer. A function
describes itself to nobody while it runs and answers one route at a time, so all of it is put off until it is used.
Every other module takes FastAPI's names from here.
"""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel
from starlette.routing import compile_path, get_name

from shared.runtime.unneeded import unneeded


@contextmanager
def deferred() -> Iterator[None]:
    """Models that are defined within build their validators when they are first used.

    Pydantic's own setting `defer_build`, which models inherit from `BaseModel`.
    """
    BaseModel.model_config["defer_build"] = True
    try:
        yield
    finally:
        del BaseModel.model_config["defer_build"]


with deferred(), unneeded():
    from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
    from fastapi import _compat as compat
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import StreamingResponse
    from fastapi.routing import APIRoute

__all__ = [
    "AHEAD",
    "ATTEMPT",
    "KEY_HEADER",
    "PREFIX",
    "APIRoute",
    "APIRouter",
    "Depends",
    "FastAPI",
    "Handler",
    "Header",
    "LateRoute",
    "Query",
    "Request",
    "RequestValidationError",
    "Response",
    "Router",
    "StreamingResponse",
    "deferred",
]

# FastAPI asks of every annotation whether it is a model of Pydantic 1, and loads all of Pydantic 1 (33 ms) to know.
# There is none.
compat.shared.is_pydantic_v1_model_class = lambda cls: False

PREFIX = "/api/v1"
KEY_HEADER = b"idempotency-key"
"""With it a POST is done once, however often it is sent."""
AHEAD = "lambent.ahead"
"""Where a request keeps whether it may go ahead with the rights that its credential had last time: they are asked
together with what it asks for, and when they have changed it is begun again."""
ATTEMPT = "lambent.attempt"
"""Where a request keeps what it knows of its key."""

type Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class LateRoute(APIRoute):
    """A route that knows its path and methods, and works out the rest when it is first asked for it."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As `APIRoute`, which sees the arguments later."""
        self.path = path
        self.endpoint = endpoint
        self.methods = {method.upper() for method in options["methods"] or ["GET"]}
        self.name = options["name"] or get_name(endpoint)
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._options = options

    def __getattr__(self, name: str) -> Any:
        """Python calls this for what is not there yet."""
        options = vars(self).pop("_options", None)
        if options is None or name.startswith("__"):
            raise AttributeError(name)
        super().__init__(self.path, self.endpoint, **options)
        return getattr(self, name)

    def get_route_handler(self) -> Handler:
        """As `APIRoute`, with a place in the middle: the answer is there, and its transaction still open."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            attempt = request.scope.get(ATTEMPT)
            return await (handle(request) if attempt is None else attempt.answered(handle, request))

        return answered if "POST" in (self.methods or ()) else handle


class Router(APIRouter):
    """The routes of one area, all below the API's prefix."""

    def __init__(self, *parts: APIRouter) -> None:
        """The routes of these modules of the area, and more to come."""
        super().__init__(prefix=PREFIX, route_class=LateRoute)
        for part in parts:
            self.routes.extend(part.routes)
