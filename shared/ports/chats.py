"""Rows of chats and messages."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from shared.domain.chats import Chat, Message
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.tenants import Scope, TenantScope


class Chats(Protocol):
    """Storage of conversations; a chat is seen by the principal who made it."""

    async def add(self, scope: Scope, chat: Chat) -> None:
        """Store a new chat."""
        ...

    async def get(self, scope: Scope, chat_id: UUID) -> Chat | None:
        """One chat of this principal."""
        ...

    async def list(self, scope: Scope, after: After | None, limit: int) -> Sequence[Chat]:
        """Chats of this principal, newest first."""
        ...

    async def save(self, scope: Scope, chat: Chat) -> None:
        """Write a changed chat back."""
        ...

    async def delete(self, scope: Scope, chat_id: UUID) -> bool:
        """Remove a chat with its messages; False when there was none."""
        ...

    async def add_messages(self, scope: Scope, messages: Sequence[Message]) -> None:
        """Store turns, in order."""
        ...

    async def messages(self, scope: Scope, chat_id: UUID, limit: int) -> Sequence[Message]:
        """The latest `limit` turns, oldest first."""
        ...

    async def redact(self, scope: Scope, document_id: UUID) -> int:
        """Mark every citation into a deleted document of the project as removed, whoever's chat it is in.

        Returns how many messages cited it.
        """
        ...

    async def citing(self, scope: Scope, document_id: UUID) -> int:
        """How many messages still cite a document with something of it."""
        ...

    async def purge(self, scope: TenantScope, subject: Subject, limit: int) -> int:
        """Remove chats of a deleted project or tenant with their messages, whoever's they are, up to `limit`.

        Returns how many.
        """
        ...
