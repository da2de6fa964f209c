"""The streaming door: an answer while it is written, as server-sent events."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from shared.runtime.answering import answer_events
from shared.runtime.auth import AuthorisedCaller
from shared.runtime.events import MEDIA_TYPE, begun, server_sent
from shared.runtime.http import PREFIX
from shared.runtime.messages import Ask
from shared.runtime.stream import stream_function

router = APIRouter(prefix=PREFIX)


@router.post("/streams/chats/{chat_id}/messages", response_class=StreamingResponse)
async def ask(chat_id: UUID, body: Ask, caller: AuthorisedCaller) -> StreamingResponse:
    """Ask; events are `sources`, many `delta`, and `answer` (checked) or `error`."""
    events = await begun(answer_events(caller, chat_id, body.question))
    return StreamingResponse(server_sent(events), media_type=MEDIA_TYPE)


handler = stream_function(router)
