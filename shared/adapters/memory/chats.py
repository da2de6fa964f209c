"""Chats and messages."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.adapters.memory.tombstones import is_within
from shared.domain.chats import Chat, Message, without
from shared.domain.errors import Conflict, NotFound
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.tenants import Scope, TenantScope


class MemoryChats:
    """Storage of conversations; a chat is seen by the principal who made it."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: Scope, chat: Chat) -> None:
        """Store a new chat."""
        self._transaction.require(scope.tenant_id)
        if self._transaction.get("projects", scope.tenant_id, (scope.project_id,)) is None:
            raise Conflict("it refers to something that is not there", code="missing_reference")
        await self._transaction.put(
            "chats", scope.tenant_id, (chat.id,), replace(chat, created_by=str(scope.principal))
        )

    async def get(self, scope: Scope, chat_id: UUID) -> Chat | None:
        """One chat of this principal."""
        found: Chat | None = self._transaction.get("chats", scope.tenant_id, (chat_id,))
        return found if found is not None and _seen(scope, found) else None

    async def list(self, scope: Scope, after: After | None, limit: int) -> Sequence[Chat]:
        """Chats of this principal, newest first."""
        rows = [row for _, row in self._transaction.items("chats", scope.tenant_id) if _seen(scope, row)]
        rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
        return [row for row in rows if after is None or (row.created_at, row.id) < (after.at, after.id)][:limit]

    async def save(self, scope: Scope, chat: Chat) -> None:
        """Write a changed chat back."""
        known = await self.get(scope, chat.id)
        if known is not None:
            kept = replace(chat, project_id=known.project_id, created_by=known.created_by, created_at=known.created_at)
            await self._transaction.put("chats", scope.tenant_id, (chat.id,), kept)

    async def delete(self, scope: Scope, chat_id: UUID) -> bool:
        """Remove a chat with its messages; False when there was none."""
        if await self.get(scope, chat_id) is None:
            return False
        await self._transaction.remove("messages", scope.tenant_id, (chat_id,))
        return await self._transaction.remove("chats", scope.tenant_id, (chat_id,))

    async def add_messages(self, scope: Scope, messages: Sequence[Message]) -> None:
        """Store turns, in order.

        Raises:
            NotFound: a chat that is not this principal's.
        """
        for one in messages:
            if await self.get(scope, one.chat_id) is None:
                raise NotFound("no such chat", code="chat_not_found")
            await self._transaction.lock("messages", scope.tenant_id, (one.chat_id,))
            known = self._transaction.get("messages", scope.tenant_id, (one.chat_id,)) or ()
            await self._transaction.put("messages", scope.tenant_id, (one.chat_id,), (*known, one))

    async def messages(self, scope: Scope, chat_id: UUID, limit: int) -> Sequence[Message]:
        """The latest `limit` turns, oldest first."""
        if await self.get(scope, chat_id) is None:
            return []
        known: tuple[Message, ...] = self._transaction.get("messages", scope.tenant_id, (chat_id,)) or ()
        return known[max(0, len(known) - limit) :]

    async def redact(self, scope: Scope, document_id: UUID) -> int:
        """Mark every citation into a deleted document of the project as removed, whoever's chat it is in.

        Returns how many messages cited it.
        """
        changed = 0
        for key in self._chats_citing(scope, document_id):
            await self._transaction.lock("messages", scope.tenant_id, key)
            known: tuple[Message, ...] = self._transaction.get("messages", scope.tenant_id, key) or ()
            bare = tuple(without(one, {document_id}) for one in known)
            changed += sum(one != other for one, other in zip(known, bare, strict=True))
            await self._transaction.put("messages", scope.tenant_id, key, bare)
        return changed

    async def citing(self, scope: Scope, document_id: UUID) -> int:
        """How many messages still cite a document with something of it."""
        return sum(
            without(one, {document_id}) != one
            for key in self._chats_citing(scope, document_id)
            for one in self._transaction.get("messages", scope.tenant_id, key)
        )

    def _chats_citing(self, scope: Scope, document_id: UUID) -> Sequence[tuple[object, ...]]:
        rows = self._transaction.items("messages", scope.tenant_id)
        return [
            key
            for key, kept in rows
            if self._transaction.get("chats", scope.tenant_id, key).project_id == scope.project_id
            and any(citation.document_id == document_id for one in kept for citation in one.citations)
        ]

    async def purge(self, scope: TenantScope, subject: Subject, limit: int) -> int:
        """Remove chats of a deleted project or tenant with their messages, whoever's they are, up to `limit`.

        Returns how many.
        """
        rows = [row for _, row in self._transaction.items("chats", scope.tenant_id) if is_within(row, subject)]
        doomed = sorted(rows, key=lambda row: (row.created_at, row.id))[:limit]
        for row in doomed:
            await self._transaction.remove("messages", scope.tenant_id, (row.id,))
            await self._transaction.remove("chats", scope.tenant_id, (row.id,))
        return len(doomed)


def _seen(scope: Scope, chat: Chat) -> bool:
    return chat.project_id == scope.project_id and chat.created_by == str(scope.principal)
