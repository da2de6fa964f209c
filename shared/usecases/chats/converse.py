"""Conversations as things: make, list, look at, delete."""

from collections.abc import Sequence
from uuid import UUID

from shared.domain.chats import Chat, Message, without
from shared.domain.errors import Invalid, NotFound
from shared.domain.labels import clean_name
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.search.retrieve import collections_of

MAX_COLLECTIONS = 20
RECENT = 200
"""So many messages back an exchange is looked for."""


async def start_chat(scope: Scope, ports: Ports, *, collection_ids: Sequence[UUID], title: str = "") -> Chat:
    """A new conversation over collections of this project.

    Raises:
        Invalid: no collection, or more than 20.
        NotFound: a collection that is not in this project.
    """
    scope.require(Permission.CHATS_WRITE)
    wanted = tuple(dict.fromkeys(collection_ids))
    if not 1 <= len(wanted) <= MAX_COLLECTIONS:
        raise Invalid(f"a chat is over 1-{MAX_COLLECTIONS} collections", code="invalid_collections")
    await collections_of(scope, ports, wanted)
    now = ports.clock.now()
    chat = Chat(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        collection_ids=wanted,
        title=clean_name(title, "title") if title else "",
        created_by=str(scope.principal),
        created_at=now,
        updated_at=now,
    )
    await ports.chats.add(scope, chat)
    return chat


async def get_chat(scope: Scope, ports: Ports, chat_id: UUID) -> Chat:
    """One conversation of this principal.

    Raises:
        NotFound: none of theirs.
    """
    scope.require(Permission.CHATS_READ)
    chat = await ports.chats.get(scope, chat_id)
    if chat is None:
        raise NotFound("no such chat", code="chat_not_found")
    return chat


async def list_chats(scope: Scope, ports: Ports, *, cursor: str | None, limit: int) -> Page[Chat]:
    """Conversations of this principal, newest first."""
    scope.require(Permission.CHATS_READ)
    listing = fingerprint("chats", scope.project_id, scope.principal)
    rows = await ports.chats.list(scope, decode_cursor(cursor, listing) if cursor else None, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.created_at, row.id))


async def history(scope: Scope, ports: Ports, chat_id: UUID, *, limit: int) -> Sequence[Message]:
    """The latest turns, oldest first; citations into what is deleted are marked as removed.

    Raises:
        NotFound: no such chat of this principal.
    """
    await get_chat(scope, ports, chat_id)
    messages = await ports.chats.messages(scope, chat_id, limit)
    # Before the sweep has taken it away: what a deleted document said is quoted to nobody.
    cited = {citation.document_id for one in messages for citation in one.citations if not citation.removed}
    gone = cited - await ports.documents.living(scope, sorted(cited))
    return [without(one, gone) for one in messages]


async def exchange(
    scope: Scope, ports: Ports, chat_id: UUID, question_id: UUID, answer_id: UUID
) -> tuple[Message, Message]:
    """A question and its answer, as `history` shows them.

    Raises:
        NotFound: no such chat of this principal, or it has gone on for too long since.
    """
    said = {one.id: one for one in await history(scope, ports, chat_id, limit=RECENT)}
    if question_id not in said or answer_id not in said:
        raise NotFound("these messages are no longer among the chat's latest", code="message_not_found")
    return said[question_id], said[answer_id]


async def delete_chat(scope: Scope, ports: Ports, chat_id: UUID) -> None:
    """Remove a conversation with all its messages.

    Raises:
        NotFound: no such chat of this principal.
    """
    scope.require(Permission.CHATS_WRITE)
    if not await ports.chats.delete(scope, chat_id):
        raise NotFound("no such chat", code="chat_not_found")
