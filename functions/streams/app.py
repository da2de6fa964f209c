"""The streaming door: an answer while it is written, an ingestion while it goes, as server-sent events."""

from typing import Annotated
from uuid import UUID

from shared.runtime.answering import answer_events
from shared.runtime.auth import AuthorisedCaller
from shared.runtime.events import EventStream, answering, begun, server_sent
from shared.runtime.messages import Ask
from shared.runtime.paging import MAX_NUMBER
from shared.runtime.stream import stream_function
from shared.runtime.watching import time_left, watch_events, watched
from shared.runtime.web import Header, Request, Router

router = Router()

LastEventId = Annotated[
    int,
    Header(
        alias="Last-Event-ID", ge=0, le=MAX_NUMBER, description="the last event you have; what came after it is sent"
    ),
]


@router.post("/streams/chats/{chat_id}/messages", response_class=EventStream)
async def ask(chat_id: UUID, body: Ask, caller: AuthorisedCaller) -> EventStream:
    """Ask; events are `sources`, many `delta`, and `answer` (checked) or `error`."""
    events = await begun(answer_events(caller, chat_id, body.question))
    return EventStream(server_sent(events, answering))


@router.get("/streams/ingestions/{ingestion_id}", response_class=EventStream)
async def watch(
    ingestion_id: UUID, request: Request, caller: AuthorisedCaller, last_event_id: LastEventId = 0
) -> EventStream:
    """Watch a run; events are `progress`, each event of the run by its kind and number, and `end` or `error`.

    A stream that stops without `end` is to be taken up again with the id of the last event.
    """
    events = await begun(watch_events(caller, ingestion_id, last_event_id, time_left(request)))
    return EventStream(server_sent(events, watched))


handler = stream_function(router)
