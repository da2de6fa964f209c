"""Server-sent events (HTML Living Standard, section 9.2), and answers written as such."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog

from shared.domain.errors import LambentError
from shared.runtime.answering import Delta
from shared.runtime.messages import AnswerOut, SourceOut
from shared.runtime.web import StreamingResponse
from shared.usecases.chats.answer import Answer, Draft

log = structlog.get_logger()


class EventStream(StreamingResponse):
    """An answer in events."""

    media_type = "text/event-stream"


async def begun[Event](events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """All of the events, once there is a first: what fails before it is answered with its own status."""
    first = await anext(events)

    async def every() -> AsyncIterator[Event]:
        yield first
        async for event in events:
            yield event

    return every()


async def server_sent[Event](events: AsyncIterator[Event], written: Callable[[Event], str]) -> AsyncIterator[str]:
    """Write each event; an error after the stream has begun is an event too, because the status is already sent."""
    try:
        async for event in events:
            yield written(event)
    except LambentError as error:
        log.warning("stream.failed", code=error.code, error=error.detail)
        yield sse("error", {"code": error.code, "detail": error.detail, "hint": error.hint})
    except Exception:
        log.exception("stream.crashed")
        yield sse(
            "error",
            {"code": "internal_error", "detail": "an unexpected error; the log has the details", "hint": "ask again"},
        )


def answering(event: Draft | Delta | Answer) -> str:
    """The text of one part of an answer."""
    if isinstance(event, Delta):
        return sse("delta", {"text": event.text})
    if isinstance(event, Draft):
        sources = [SourceOut.of(number, source).model_dump(mode="json") for number, source in event.sources.items()]
        return sse("sources", {"sources": sources})
    return sse("answer", AnswerOut.of(event).model_dump(mode="json"))


def sse(name: str, data: dict[str, Any], *, id: int | None = None, retry: int | None = None) -> str:
    """One event.

    Args:
        name: what listeners are told by.
        data: JSON escapes line breaks, so one data line holds it all.
        id: what a client that comes back sends as Last-Event-ID; an event without one leaves the last in place.
        retry: milliseconds after which a client that lost the stream should come back.
    """
    head = "" if id is None else f"id: {id}\n"
    head += "" if retry is None else f"retry: {retry}\n"
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
