"""The streaming runtime against a Runtime API: prelude, chunks as they are made, errors where they belong."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from shared.domain.errors import NotFound
from shared.runtime import stream
from shared.runtime.stream import StreamFunction, StreamingRuntime, stream_function
from shared.runtime.web import PREFIX
from tests.runtime.contexts import FakeContext
from tests.runtime.runtime_api import RuntimeApi, runtime_api
from tests.runtime.test_http import event

PATH = f"{PREFIX}/streams/chats/1/messages"


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    with runtime_api() as served:
        yield served


def function(pieces: list[Any], api: RuntimeApi | None = None) -> StreamFunction:
    """A streaming function that sends the pieces, and raises those that are errors."""
    router = APIRouter(prefix=PREFIX)

    async def made() -> AsyncIterator[str]:
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece
            if api is not None:
                # The chunk is there before the next is made.
                while sum(len(one.chunks) for one in api.responses()) < 2:
                    await asyncio.sleep(0.001)

    @router.post("/streams/chats/{chat_id}/messages", response_class=StreamingResponse)
    async def ask(chat_id: str) -> StreamingResponse:
        if pieces and isinstance(pieces[0], NotFound):
            raise pieces[0]
        return StreamingResponse(made(), media_type="text/event-stream", headers={"X-Number": "1"})

    return stream_function(router)


def serve(api: RuntimeApi, served: StreamFunction, sent: dict[str, Any] | None = None) -> None:
    api.events.put(sent or event("POST", PATH, "{}"))
    StreamingRuntime(api.address, served, "lambent-streams").one()


def test_one_with_stream_sends_prelude_and_chunks(api: RuntimeApi) -> None:
    serve(api, function(["event: delta\n\n", "é" * 3]))
    (response,) = api.responses()
    assert response.path == "/2018-06-01/runtime/invocation/8a6e0e4a-stream/response"
    assert response.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert response.headers["transfer-encoding"] == "chunked"
    assert response.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    assert response.prelude["statusCode"] == 200
    headers = response.prelude["headers"]
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["x-number"] == "1"
    assert headers["x-content-type-options"] == "nosniff"
    assert response.chunks[1:] == [b"event: delta\n\n", ("é" * 3).encode()]
    assert response.trailers == {}


def test_one_with_stream_sends_each_chunk_before_the_next_is_made(api: RuntimeApi) -> None:
    serve(api, function(["first", "second"], api))
    assert api.responses()[0].chunks[1:] == [b"first", b"second"]


def test_one_with_problem_before_the_stream_answers_it(api: RuntimeApi) -> None:
    serve(api, function([NotFound("no such chat", code="chat_not_found")]))
    (response,) = api.responses()
    assert response.prelude["statusCode"] == 404
    told = json.loads(response.streamed)
    assert (told["code"], told["request_id"]) == ("chat_not_found", "8a6e0e4a-stream")
    assert response.trailers == {}


def test_one_with_error_after_the_stream_began_puts_it_in_the_trailers(api: RuntimeApi) -> None:
    serve(api, function(["first", RuntimeError("broke off")]))
    (response,) = api.responses()
    assert response.prelude["statusCode"] == 200
    assert response.streamed == b"first"
    assert response.trailers["lambda-runtime-function-error-type"] == "RuntimeError"
    told = json.loads(base64.b64decode(response.trailers["lambda-runtime-function-error-body"]))
    assert (told["errorMessage"], told["errorType"]) == ("broke off", "RuntimeError")
    assert told["stackTrace"]


def test_one_with_error_in_a_stream_still_takes_the_next_invocation(api: RuntimeApi) -> None:
    serve(api, function(["first", RuntimeError("broke off")]))
    serve(api, function(["again"]))
    assert [response.streamed for response in api.responses()] == [b"first", b"again"]


def test_one_with_unknown_route_answers_a_problem(api: RuntimeApi) -> None:
    serve(api, function([]), event("GET", "/api/v1/nowhere"))
    (response,) = api.responses()
    assert response.prelude["statusCode"] == 404


def test_one_with_event_that_is_no_request_reports_an_invocation_error(api: RuntimeApi) -> None:
    serve(api, function([]), {"source": "aws.scheduler"})
    (response,) = api.responses()
    assert response.path.endswith("/invocation/8a6e0e4a-stream/error")
    assert response.headers["lambda-runtime-function-error-type"] == "Runtime.KeyError"
    assert json.loads(response.body)["errorType"] == "KeyError"


def test_one_with_oversized_body_answers_413(api: RuntimeApi) -> None:
    serve(api, function([]), event("POST", PATH, "x" * 2_000_000))
    assert api.responses()[0].prelude["statusCode"] == 413


def test_one_with_base64_body_reads_it(api: RuntimeApi) -> None:
    sent = event("POST", PATH, base64.b64encode(b"{}").decode()) | {"isBase64Encoded": True}
    serve(api, function(["ok"]), sent)
    assert api.responses()[0].streamed == b"ok"


def test_call_where_nothing_streams_answers_whole() -> None:
    answer = function(["one ", "two"])(event("POST", PATH, "{}"), FakeContext())
    assert (answer["statusCode"], answer["body"]) == (200, "one two")


def test_context_counts_down_to_its_deadline() -> None:
    assert stream.StreamContext("id", "name", 0).get_remaining_time_in_millis() == 0
    assert stream.StreamContext("id", "name", 4102444800000).get_remaining_time_in_millis() > 0


async def test_receiver_gives_the_body_once_and_then_waits_for_the_end() -> None:
    receiver = stream.Receiver(b"x")
    assert await receiver() == {"type": "http.request", "body": b"x", "more_body": False}
    waiting = asyncio.ensure_future(receiver())
    await asyncio.sleep(0)
    assert not waiting.done()
    receiver.done.set()
    assert await waiting == {"type": "http.disconnect"}


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("functions.nowhere.app.handler", "ModuleNotFoundError"),
        ("functions.search.app.nothing", "AttributeError"),
        ("functions.search.app.handler", "TypeError"),
        ("", "ValueError"),
    ],
)
def test_main_with_handler_that_cannot_be_served_reports_an_initialisation_error(
    api: RuntimeApi, monkeypatch: pytest.MonkeyPatch, handler: str, kind: str
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", api.address)
    monkeypatch.setenv("_HANDLER", handler)
    with pytest.raises(SystemExit) as ended:
        stream.main()
    assert ended.value.code == 1
    (response,) = api.responses()
    assert response.path == "/2018-06-01/runtime/init/error"
    assert json.loads(response.body)["errorType"] == kind


def test_main_serves_the_handler_the_platform_names(api: RuntimeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[StreamingRuntime] = []
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", api.address)
    monkeypatch.setenv("_HANDLER", "functions/streams/app.handler")

    def remember(runtime: StreamingRuntime) -> None:
        served.append(runtime)

    monkeypatch.setattr(StreamingRuntime, "serve", remember)
    stream.main()
    assert isinstance(served[0].function, StreamFunction)
    assert served[0].address == api.address
