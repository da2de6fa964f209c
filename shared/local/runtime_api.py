"""The Lambda Runtime API for one process: it asks for work, and says what came of it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, and for streamed answers
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming. Each process has
a listener of its own, so that an answer can only be about the work that this process was given.
"""

import asyncio
import base64
import binascii
import time
from typing import Protocol

from shared.local import http1
from shared.local.invocation import MAX_PAYLOAD, MAX_STREAM, Invocation, error_payload

_PREFIX = "/2018-06-01/runtime/"
_ACCEPTED = http1.Reply(202, b'{"status":"OK"}\n', {"Content-Type": "application/json"})
_TOO_LARGE = "Function.ResponseSizeTooLarge"
_MODE = "lambda-runtime-function-response-mode"
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"


class Owner(Protocol):
    """What the Runtime API tells the process's keeper."""

    def on_next(self) -> None:
        """The process asks for work; the first time this means that it has started."""

    def on_init_error(self, kind: str, payload: bytes) -> None:
        """The process could not start."""

    def on_settled(self, invocation: Invocation) -> None:
        """The process has answered."""


class RuntimeApi:
    """Speaks with one process."""

    def __init__(self, owner: Owner, arn: str, timeout: float) -> None:
        self._owner = owner
        self._arn = arn
        self._timeout = timeout
        self._work: asyncio.Future[Invocation] | None = None
        self.current: Invocation | None = None

    def give(self, invocation: Invocation) -> None:
        """Hands work to the process, which must be asking for some."""
        if self._work is None or self._work.done():
            raise RuntimeError("the process does not ask for work")
        self.current = invocation
        invocation.start()
        self._work.set_result(invocation)

    def close(self) -> None:
        """Sends away a process that waits for work."""
        if self._work is not None:
            self._work.cancel()

    async def handle(self, request: http1.Request) -> http1.Reply:
        """Answers one request of the process."""
        path = request.target.removeprefix(_PREFIX)
        match (request.method, path.split("/")):
            case ("GET", ["invocation", "next"]):
                return await self._next()
            case ("GET", ["restore", "next"]):
                return http1.Reply(200)
            case ("POST", ["invocation", request_id, "response"]):
                return await self._response(request, request_id)
            case ("POST", ["invocation", request_id, "error"]):
                return await self._error(request, request_id)
            case ("POST", ["init" | "restore", "error"]):
                self._owner.on_init_error(
                    request.headers.get(_ERROR_TYPE, "Runtime.Unknown"), await request.body(MAX_PAYLOAD)
                )
                return _ACCEPTED
        return http1.Reply(404, error_payload("NotFound", f"{request.method} {request.target}"))

    async def _next(self) -> http1.Reply:
        self._work = asyncio.get_running_loop().create_future()
        self._owner.on_next()
        try:
            invocation = await self._work
        except asyncio.CancelledError:
            raise ConnectionAbortedError("the process is being stopped") from None
        trace = f"Root=1-{int(time.time()):08x}-{invocation.request_id.replace('-', '')[:24]};Sampled=0"
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self._timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._arn,
            "Lambda-Runtime-Trace-Id": trace,
        }
        return http1.Reply(200, invocation.payload, headers)

    def _is_current(self, request_id: str) -> bool:
        return self.current is not None and self.current.request_id == request_id and not self.current.settled

    async def _response(self, request: http1.Request, request_id: str) -> http1.Reply:
        if not self._is_current(request_id) or self.current is None:
            return http1.Reply(400, error_payload("InvalidRequestID", "Invalid request ID"))
        invocation = self.current
        invocation.content_type = request.headers.get("content-type", "application/json")
        if request.headers.get(_MODE, "").lower() == "streaming" and invocation.streaming:
            return await self._streamed(request, invocation)
        try:
            invocation.finish(await request.body(MAX_PAYLOAD))
        except http1.TooLong:
            text = f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes)."
            document = error_payload(_TOO_LARGE, text)
            invocation.finish(document, _TOO_LARGE)
            self._owner.on_settled(invocation)
            return http1.Reply(413, document)
        self._owner.on_settled(invocation)
        return _ACCEPTED

    async def _streamed(self, request: http1.Request, invocation: Invocation) -> http1.Reply:
        size = 0
        async for piece in request.chunks():
            size += len(piece)
            if size > MAX_STREAM:
                raise http1.Malformed(f"streamed answer longer than {MAX_STREAM} bytes")
            await invocation.feed(piece)
        kind = request.trailers.get(_ERROR_TYPE, "")
        invocation.finish(_decoded(request.trailers.get(_ERROR_BODY, "")) if kind else b"", kind)
        self._owner.on_settled(invocation)
        return _ACCEPTED

    async def _error(self, request: http1.Request, request_id: str) -> http1.Reply:
        body = await request.body(MAX_PAYLOAD)
        if not self._is_current(request_id) or self.current is None:
            return http1.Reply(400, error_payload("InvalidRequestID", "Invalid request ID"))
        self.current.finish(body, request.headers.get(_ERROR_TYPE, "Unhandled") or "Unhandled")
        self._owner.on_settled(self.current)
        return _ACCEPTED


def _decoded(text: str) -> bytes:
    """The trailer carries the error document in Base64; one that does not is passed on as it is."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode("latin-1")
