"""Requests and responses about chats."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from shared.runtime.messages import MessageOut
from shared.runtime.schemas import Body, Out


class NewChat(Body):
    """A chat to start."""

    collection_ids: list[UUID] = Field(min_length=1, max_length=20)
    title: str = Field(default="", max_length=255, description="empty: the first question")


class ChatOut(Out):
    """A chat."""

    id: UUID
    title: str
    collection_ids: list[UUID]
    created_at: datetime
    updated_at: datetime


class ChatPage(Out):
    """A page of chats; send `next` back as `cursor`."""

    items: list[ChatOut]
    next: str | None


__all__ = ["ChatOut", "ChatPage", "MessageOut", "NewChat"]
