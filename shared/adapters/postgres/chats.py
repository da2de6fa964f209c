"""Chats and messages."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.message_rows import citation_values, message_values, read_message
from shared.adapters.postgres.models import chats, cited_documents, messages
from shared.adapters.postgres.statements import ID, PROJECT, TENANT, page_after, within
from shared.domain.chats import Chat, Message, without
from shared.domain.errors import NotFound
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.tenants import Scope, TenantScope

C, M, W = chats.c, messages.c, cited_documents.c
MINE = (C.tenant_id == TENANT) & (C.project_id == PROJECT) & (C.created_by == bindparam("principal"))
ONE = MINE & (C.id == ID)

ADD = insert(chats)
LIST = select(chats).where(MINE)
GET = select(chats).where(ONE)
SAVE = update(chats).where(ONE)
DELETE = delete(chats).where(ONE)
MESSAGE_COLUMNS = [column for column in messages.columns if column.name != "position"]
# Only into a chat of this principal.
ADD_MESSAGE = (
    insert(messages)
    .from_select(
        [column.name for column in MESSAGE_COLUMNS],
        select(*(bindparam(column.name, type_=column.type) for column in MESSAGE_COLUMNS)).where(
            exists().where(MINE & (C.id == bindparam("chat_id")))
        ),
    )
    .returning(M.id)
)
MESSAGES = (
    select(messages)
    .join(chats, (C.tenant_id == M.tenant_id) & (C.id == M.chat_id))
    .where(ONE & (M.tenant_id == TENANT))
    .order_by(M.position.desc())
    .limit(bindparam("most"))
)
ADD_CITED = insert(cited_documents)
CITED = (
    (W.tenant_id == TENANT)
    & (W.document_id == bindparam("document"))
    & (M.tenant_id == TENANT)
    & (M.id == W.message_id)
    & (C.tenant_id == TENANT)
    & (C.id == M.chat_id)
    & (C.project_id == PROJECT)
)
CITING = select(messages).where(CITED).order_by(M.chat_id, M.position).with_for_update(of=messages)
COUNT_CITING = select(func.count()).select_from(cited_documents, messages, chats).where(CITED)
REDACT = update(messages).where((M.tenant_id == TENANT) & (M.id == ID))
UNCITE = delete(cited_documents).where(
    (W.tenant_id == TENANT) & (W.document_id == bindparam("document")) & (W.message_id == ID)
)
# Messages go with their chat.
PURGE = """
DELETE FROM chats WHERE tenant_id = :tenant AND id IN (
  SELECT id FROM chats WHERE tenant_id = :tenant AND {within} ORDER BY created_at, id LIMIT :most
)
"""


class PgChats:
    """Storage of conversations; a chat is seen by the principal who made it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: Scope, chat: Chat) -> None:
        """Store a new chat."""
        values = {"tenant_id": scope.tenant_id, "project_id": scope.project_id, "id": chat.id, **_values(chat)}
        await self._session.run(ADD, {**values, "created_by": str(scope.principal), "created_at": chat.created_at})

    async def get(self, scope: Scope, chat_id: UUID) -> Chat | None:
        """One chat of this principal."""
        row = await self._session.first(GET, _one(scope, chat_id))
        return None if row is None else _chat(row)

    async def list(self, scope: Scope, after: After | None, limit: int) -> Sequence[Chat]:
        """Chats of this principal, newest first."""
        statement, place = page_after(LIST, chats, after, limit)
        return [_chat(row) for row in await self._session.all(statement, {**_mine(scope), **place})]

    async def save(self, scope: Scope, chat: Chat) -> None:
        """Write a changed chat back."""
        await self._session.run(SAVE.values(_values(chat)), _one(scope, chat.id))

    async def delete(self, scope: Scope, chat_id: UUID) -> bool:
        """Remove a chat with its messages; False when there was none."""
        return (await self._session.run(DELETE, _one(scope, chat_id))).rowcount > 0

    async def add_messages(self, scope: Scope, messages: Sequence[Message]) -> None:
        """Store turns, in order.

        Raises:
            NotFound: a chat that is not this principal's.
        """
        for one in messages:
            values = {**_mine(scope), "tenant_id": scope.tenant_id, **message_values(one)}
            if await self._session.first(ADD_MESSAGE, values) is None:
                raise NotFound("no such chat", code="chat_not_found")
            cited = sorted({citation.document_id for citation in one.citations if not citation.removed})
            if cited:
                where = {"tenant_id": scope.tenant_id, "message_id": one.id}
                await self._session.run(ADD_CITED, [{**where, "document_id": document_id} for document_id in cited])

    async def messages(self, scope: Scope, chat_id: UUID, limit: int) -> Sequence[Message]:
        """The latest `limit` turns, oldest first."""
        rows = await self._session.all(MESSAGES, {**_one(scope, chat_id), "most": limit})
        return [read_message(row) for row in reversed(rows)]

    async def redact(self, scope: Scope, document_id: UUID) -> int:
        """Mark every citation into a deleted document of the project as removed, whoever's chat it is in.

        Returns how many messages cited it.
        """
        where = {"tenant": scope.tenant_id, "project": scope.project_id, "document": document_id}
        rows = await self._session.all(CITING, where)
        for row in rows:
            bare = without(read_message(row), {document_id})
            citations = [citation_values(one) for one in bare.citations]
            await self._session.run(REDACT.values(citations=citations), {"tenant": scope.tenant_id, "of_id": row.id})
            await self._session.run(UNCITE, {"tenant": scope.tenant_id, "document": document_id, "of_id": row.id})
        return len(rows)

    async def citing(self, scope: Scope, document_id: UUID) -> int:
        """How many messages still cite a document with something of it."""
        where = {"tenant": scope.tenant_id, "project": scope.project_id, "document": document_id}
        return int(await self._session.scalar(COUNT_CITING, where))

    async def purge(self, scope: TenantScope, subject: Subject, limit: int) -> int:
        """Remove chats of a deleted project or tenant with their messages, whoever's they are, up to `limit`.

        Returns how many.
        """
        parameters = {"tenant": scope.tenant_id, "subject": subject.id, "most": limit}
        return (await self._session.run(text(PURGE.format(within=within(subject))), parameters)).rowcount


def _mine(scope: Scope) -> dict[str, object]:
    return {"tenant": scope.tenant_id, "project": scope.project_id, "principal": str(scope.principal)}


def _one(scope: Scope, chat_id: UUID) -> dict[str, object]:
    return {**_mine(scope), "of_id": chat_id}


def _values(chat: Chat) -> Mapping[str, object]:
    return {"collection_ids": list(chat.collection_ids), "title": chat.title, "updated_at": chat.updated_at}


def _chat(row: Row[Any]) -> Chat:
    return Chat(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        collection_ids=tuple(row.collection_ids),
        title=row.title,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
