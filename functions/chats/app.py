"""Chats: questions over collections, answered with citations that were checked."""

from typing import Annotated
from uuid import UUID

from functions.chats.schemas import ChatOut, ChatPage, MessageOut, NewChat
from shared.runtime.answering import whole_answer
from shared.runtime.auth import Authorised, AuthorisedCaller
from shared.runtime.http import http_function
from shared.runtime.messages import AnswerOut, Ask
from shared.runtime.paging import Cursor, Limit
from shared.runtime.web import Query, Response, Router
from shared.usecases.chats import converse

router = Router()


@router.post("/chats", status_code=201)
async def create_chat(body: NewChat, call: Authorised) -> ChatOut:
    """Start a chat over one or more collections."""
    made = await converse.start_chat(call.scope, call.ports, collection_ids=body.collection_ids, title=body.title)
    return ChatOut.model_validate(made)


@router.get("/chats")
async def list_chats(call: Authorised, cursor: Cursor = None, limit: Limit = 50) -> ChatPage:
    """Your chats, newest first."""
    return ChatPage.model_validate(await converse.list_chats(call.scope, call.ports, cursor=cursor, limit=limit))


@router.get("/chats/{chat_id}")
async def get_chat(chat_id: UUID, call: Authorised) -> ChatOut:
    """One chat."""
    return ChatOut.model_validate(await converse.get_chat(call.scope, call.ports, chat_id))


@router.delete("/chats/{chat_id}", status_code=204)
async def delete_chat(chat_id: UUID, call: Authorised) -> Response:
    """Delete a chat with all its messages."""
    await converse.delete_chat(call.scope, call.ports, chat_id)
    return Response(status_code=204)


@router.get("/chats/{chat_id}/messages")
async def list_messages(
    chat_id: UUID, call: Authorised, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[MessageOut]:
    """The latest messages, oldest first."""
    return [MessageOut.of(one) for one in await converse.history(call.scope, call.ports, chat_id, limit=limit)]


@router.post("/chats/{chat_id}/messages", status_code=201)
async def ask(chat_id: UUID, body: Ask, caller: AuthorisedCaller) -> AnswerOut:
    """Ask; the answer comes whole. `POST streams/chats/{chat_id}/messages` sends it while it is written."""
    return AnswerOut.of(await whole_answer(caller, chat_id, body.question))


handler = http_function(router)
