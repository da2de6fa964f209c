"""The streaming door: a client of the Lambda Runtime API that sends an ASGI response while it is being made.

The managed Python runtime buffers responses, so the streaming function starts this module instead
(AWS_LAMBDA_EXEC_WRAPPER, see layers/shared).
Protocol: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes", and for the shape of the body
"Response streaming": `Lambda-Runtime-Function-Response-Mode: streaming`, chunked, content type
`application/vnd.awslambda.http-integration-response`; first a JSON prelude with status and headers, eight NUL bytes,
then the body. An error after the prelude travels in the trailers.
"""

import asyncio
import base64
import http.client
import importlib
import json
import sys
import time
import traceback
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from mangum.handlers.api_gateway import APIGateway
from mangum.types import LambdaConfig
from mangum.types import LambdaContext as MangumContext
from starlette.types import ASGIApp, Message

from shared.runtime.http import HttpFunction, door, http_function, readable
from shared.runtime.invocation import LambdaContext, invocation, run
from shared.runtime.web import APIRouter
from shared.settings import PlatformSettings

API = "/2018-06-01/runtime"
PRELUDE_END = b"\x00" * 8


class StreamFunction:
    """What a streaming function exports as its handler.

    The ASGI application for this runtime, and a buffered form for ordinary invocations.
    """

    def __init__(self, router: APIRouter) -> None:
        """Make the streaming form.

        Args:
            router: the area's routes.
        """
        self._router = router
        self.app: ASGIApp = door(router)

    @cached_property
    def _buffered(self) -> HttpFunction:
        """Of no use to a process that streams."""
        return http_function(self._router)

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer whole, where nothing streams."""
        return self._buffered(event, context)


def stream_function(router: APIRouter) -> StreamFunction:
    """The handler of a streaming area."""
    return StreamFunction(router)


@dataclass(frozen=True, slots=True)
class StreamContext:
    """The platform's view of an invocation, as this runtime is told it."""

    aws_request_id: str
    function_name: str
    deadline_ms: int

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the platform ends the process."""
        return max(0, self.deadline_ms - int(time.time() * 1000))


class ResponseStream:
    """One streamed response on its own connection to the Runtime API; nothing is sent before the first ASGI message."""

    def __init__(self, address: str, request_id: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=900)
        self._path = f"{API}/invocation/{request_id}/response"
        self.started = False

    async def send(self, message: Message) -> None:
        """ASGI send."""
        if message["type"] == "http.response.start":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
            prelude = json.dumps({"statusCode": message["status"], "headers": headers}).encode()
            await asyncio.to_thread(self._begin, prelude + PRELUDE_END)
        elif message.get("body"):
            await asyncio.to_thread(self._chunk, message["body"])

    def _begin(self, data: bytes) -> None:
        self._connection.putrequest("POST", self._path)
        self._connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
        self._connection.putheader("Transfer-Encoding", "chunked")
        self._connection.putheader("Content-Type", "application/vnd.awslambda.http-integration-response")
        self._connection.putheader("Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body")
        self._connection.endheaders()
        self.started = True
        self._chunk(data)

    def _chunk(self, data: bytes) -> None:
        self._connection.send(b"%x\r\n%s\r\n" % (len(data), data))

    def finish(self, error: BaseException | None) -> None:
        """End the body, with the error in the trailers when there was one, and read the platform's acknowledgement."""
        trailers = b""
        if error is not None:
            body = base64.b64encode(json.dumps(_described(error)).encode())
            trailers = b"Lambda-Runtime-Function-Error-Type: %s\r\nLambda-Runtime-Function-Error-Body: %s\r\n" % (
                type(error).__name__.encode(),
                body,
            )
        self._connection.send(b"0\r\n" + trailers + b"\r\n")
        self._connection.getresponse().read()
        self._connection.close()


class Receiver:
    """ASGI receive for a request whose whole body is known: the body once, then nothing until the response is done."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self.done = asyncio.Event()

    async def __call__(self) -> Message:
        """ASGI receive."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.done.wait()
        return {"type": "http.disconnect"}


class StreamingRuntime:
    """The loop of one execution environment: take an invocation, stream its answer, take the next."""

    def __init__(self, address: str, function: StreamFunction, name: str) -> None:
        """Serve one function.

        Args:
            address: host and port of the Runtime API.
            function: the handler.
            name: the function's name, for the log.
        """
        self.address = address
        self.function = function
        self.name = name

    def serve(self) -> None:
        """Answer invocations until the platform ends the process."""
        while True:
            self.one()

    def one(self) -> None:
        """Take and answer one invocation."""
        connection = http.client.HTTPConnection(self.address)
        connection.request("GET", f"{API}/invocation/next")
        response = connection.getresponse()
        event = json.loads(response.read())
        request_id = response.headers["Lambda-Runtime-Aws-Request-Id"]
        deadline = int(response.headers.get("Lambda-Runtime-Deadline-Ms", "0"))
        connection.close()
        context = StreamContext(request_id, self.name, deadline)
        stream = ResponseStream(self.address, request_id)
        failure: Exception | None = None
        try:
            with invocation(context, "stream", announced=True):
                run(self._answer(event, context, stream))
        except Exception as error:
            failure = error
        if stream.started:
            stream.finish(failure)
        else:
            self._report(request_id, failure or RuntimeError("the application sent no response"))

    async def _answer(self, event: dict[str, Any], context: StreamContext, stream: ResponseStream) -> None:
        # Mangum declares more of the context than it reads.
        platform = cast(MangumContext, context)
        config = LambdaConfig(api_gateway_base_path="/", text_mime_types=[], exclude_headers=[])
        shaped = APIGateway(readable(event), platform, config)
        receiver = Receiver(shaped.body)
        try:
            await self.function.app(dict(shaped.scope), receiver, stream.send)
        finally:
            receiver.done.set()

    def _report(self, request_id: str, error: BaseException) -> None:
        post(self.address, f"{API}/invocation/{request_id}/error", error)


def post(address: str, path: str, error: BaseException) -> None:
    """Tell the Runtime API about an error that no response carries."""
    connection = http.client.HTTPConnection(address)
    headers = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Function-Error-Type": f"Runtime.{type(error).__name__}",
    }
    connection.request("POST", path, json.dumps(_described(error)).encode(), headers)
    connection.getresponse().read()
    connection.close()


def _described(error: BaseException) -> dict[str, object]:
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def main() -> None:
    """Load the handler the platform names and serve it.

    A handler that cannot be loaded is reported as an initialisation error.
    """
    platform = PlatformSettings()
    address = platform.aws_lambda_runtime_api
    module, _, attribute = platform.handler.rpartition(".")
    try:
        function = getattr(importlib.import_module(module.replace("/", ".")), attribute)
        if not hasattr(function, "app"):
            raise TypeError(f"{platform.handler} is no streaming function")
    except Exception as error:
        post(address, f"{API}/init/error", error)
        sys.exit(1)
    # Under `python -m` this module is `__main__`; the handler was made by the imported one.
    StreamingRuntime(address, function, platform.aws_lambda_function_name).serve()


if __name__ == "__main__":
    main()
