"""Rows of messages, to and from domain values."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.domain.chats import Citation, Message, Receipt, Role, Sentence
from shared.domain.chunks import ChunkId


def message_values(message: Message) -> dict[str, object]:
    """The columns of a message."""
    return {
        "id": message.id,
        "chat_id": message.chat_id,
        "role": message.role.value,
        "content": message.content,
        "created_at": message.created_at,
        "citations": [citation_values(citation) for citation in message.citations],
        "sentences": [
            {"start": one.start, "end": one.end, "citations": list(one.citations), "supported": one.supported}
            for one in message.sentences
        ],
        "found": message.found,
        "receipt": _receipt_values(message.receipt),
        "metadata": dict(message.metadata),
    }


def read_message(row: Row[Any]) -> Message:
    """A message of its row."""
    return Message(
        id=row.id,
        chat_id=row.chat_id,
        role=Role(row.role),
        content=row.content,
        created_at=row.created_at,
        citations=tuple(_citation(citation) for citation in row.citations),
        sentences=tuple(
            Sentence(one["start"], one["end"], tuple(one["citations"]), one["supported"]) for one in row.sentences
        ),
        found=row.found,
        receipt=_receipt(row.receipt),
        metadata=row.metadata,
    )


def citation_values(citation: Citation) -> dict[str, object]:
    """A citation as a message's row keeps it."""
    return {
        "number": citation.number,
        "chunk_id": str(citation.chunk_id),
        "document_id": str(citation.document_id),
        "document_name": citation.document_name,
        "generation": citation.generation,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "page": citation.page,
        "heading_path": list(citation.heading_path),
        "support": citation.support,
        "removed": citation.removed,
    }


def _citation(values: Mapping[str, Any]) -> Citation:
    return Citation(
        number=values["number"],
        chunk_id=ChunkId.parse(values["chunk_id"]),
        document_id=UUID(values["document_id"]),
        document_name=values["document_name"],
        generation=values["generation"],
        start=values["start"],
        end=values["end"],
        quote=values["quote"],
        page=values["page"],
        heading_path=tuple(values["heading_path"]),
        support=values["support"],
        removed=values.get("removed", False),
    )


def _receipt_values(receipt: Receipt | None) -> dict[str, object] | None:
    if receipt is None:
        return None
    return {
        "model": receipt.model,
        "input_tokens": receipt.input_tokens,
        "output_tokens": receipt.output_tokens,
        "milliseconds": dict(receipt.milliseconds),
    }


def _receipt(values: Mapping[str, Any] | None) -> Receipt | None:
    if values is None:
        return None
    return Receipt(values["model"], values["input_tokens"], values["output_tokens"], values["milliseconds"])
