"""Answers as server-sent events (HTML Living Standard, section 9.2)."""

import json
from collections.abc import AsyncIterator
from typing import Any

import structlog

from shared.domain.errors import LambentError
from shared.runtime.answering import Delta
from shared.runtime.messages import AnswerOut, SourceOut
from shared.usecases.chats.answer import Answer, Draft

MEDIA_TYPE = "text/event-stream"
log = structlog.get_logger()


async def begun[Event](events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """All of the events, once there is a first: what fails before it is answered with its own status."""
    first = await anext(events)

    async def every() -> AsyncIterator[Event]:
        yield first
        async for event in events:
            yield event

    return every()


async def server_sent(events: AsyncIterator[Draft | Delta | Answer]) -> AsyncIterator[str]:
    """Write each event; an error after the stream has begun is an event too, because the status is already sent."""
    try:
        async for event in events:
            yield _written(event)
    except LambentError as error:
        log.warning("stream.failed", code=error.code, error=error.detail)
        yield _event("error", {"code": error.code, "detail": error.detail, "hint": error.hint})
    except Exception:
        log.exception("stream.crashed")
        yield _event(
            "error",
            {"code": "internal_error", "detail": "an unexpected error; the log has the details", "hint": "ask again"},
        )


def _written(event: Draft | Delta | Answer) -> str:
    if isinstance(event, Delta):
        return _event("delta", {"text": event.text})
    if isinstance(event, Draft):
        sources = [SourceOut.of(number, source).model_dump(mode="json") for number, source in event.sources.items()]
        return _event("sources", {"sources": sources})
    return _event("answer", AnswerOut.of(event).model_dump(mode="json"))


def _event(name: str, data: dict[str, Any]) -> str:
    # JSON escapes line breaks, so one data line holds it all.
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
