"""What is in the memory database: the one place here that knows its tables."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.adapters.memory.rows_transaction import DELETED, Tables
from shared.domain.chunks import Chunk
from shared.domain.collections import Collection
from shared.domain.documents import Document, Generation
from shared.domain.indexes import Index
from shared.domain.ingestions import Ingestion
from shared.domain.receipts import DeletionReceipt
from shared.domain.webhooks import Delivery, Webhook

type Rows[Row] = Iterator[tuple[UUID, tuple[Any, ...], Row]]


class Sight:
    """Committed rows, whoever's they are: tenant, key and row."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.since: dict[UUID, int] = {}
        """After how many commits each webhook was there."""

    def table(self, name: str) -> Rows[Any]:
        for tenant, rows in self._tables.rows[name].items():
            if tenant is not None:
                for key, row in rows.items():
                    yield tenant, key, row

    def row(self, name: str, tenant: UUID, *key: object) -> Any:
        return self._tables.rows[name][tenant].get(key)

    def documents(self) -> list[Document]:
        """Every document, with what it is in taken into account."""
        return [replace(row, gone_with=self._gone_with(row)) for _, _, row in self.table("documents")]

    def deleted(self, document_id: UUID) -> bool:
        """Whether there is such a document and it is deleted, or what it is in."""
        found = (row for _, key, row in self.table("documents") if key[0] == document_id)
        return any(row.tombstoned_at is not None or self._gone_with(row) is not None for row in found)

    def _gone_with(self, document: Document | Ingestion) -> datetime | None:
        rooms = (("collections", document.collection_id), ("projects", document.project_id), ("tenants", None))
        rows = (self.row(table, document.tenant_id, *([id] if id else ())) for table, id in rooms)
        return next((row.deleted_at for row in rows if row is not None and row.deleted_at), None)

    def away(self, collection: Collection) -> bool:
        """Whether a collection is deleted, or what it is in."""
        rooms = (("projects", (collection.project_id,)), ("tenants", ()))
        rows = [self.row(table, collection.tenant_id, *key) for table, key in rooms]
        return any(row is not None and row.deleted_at is not None for row in (collection, *rows))

    def gone(self, row: Document | Ingestion) -> bool:
        """Whether the collection, the project or the tenant it is in is deleted."""
        return self._gone_with(row) is not None

    def served(self, document: Document) -> int:
        """The generation that is searched; 0: none."""
        collection = self.collection(document.tenant_id, document.collection_id)
        return (document.committed_in(collection.slot) if collection else None) or 0

    def index(self, generation: Generation) -> Index | None:
        """The index a generation is made for."""
        document = self.document(generation.tenant_id, generation.document_id)
        found: Index | None = (
            self.row("indexes", generation.tenant_id, generation.index or document.collection_id) if document else None
        )
        return found

    def indexes(self) -> list[Index]:
        return [row for _, _, row in self.table("indexes")]

    def runs(self) -> list[Ingestion]:
        return [row for _, _, row in self.table("ingestions")]

    def of_run(self, run: UUID) -> list[Generation]:
        return [one for one in self.generations() if one.ingestion_id == run]

    def webhooks(self) -> list[Webhook]:
        return [row for _, _, row in self.table("webhooks")]

    def deliveries(self) -> list[Delivery]:
        return [row for _, _, row in self.table("webhook_deliveries")]

    def generations(self) -> list[Generation]:
        return [row for _, _, row in self.table("generations")]

    def document(self, tenant: UUID, document: UUID) -> Document | None:
        found: Document | None = self.row("documents", tenant, document)
        return found

    def generation(self, tenant: UUID, document: UUID, number: int) -> Generation | None:
        found: Generation | None = self.row("generations", tenant, document, number)
        return found

    def collections(self) -> list[Collection]:
        return [row for _, _, row in self.table("collections")]

    def collection(self, tenant: UUID, collection: UUID) -> Collection | None:
        found: Collection | None = self.row("collections", tenant, collection)
        return found

    def chunks(self, tenant: UUID, document: UUID, number: int) -> dict[int, Chunk]:
        return self.row("chunks", tenant, document, number) or {}

    def words(self, tenant: UUID, document: UUID, number: int) -> dict[int, Any]:
        return self.row("keywords", tenant, document, number) or {}

    def vectors(self, tenant: UUID, document: UUID, number: int) -> dict[int, Any]:
        return self.row("vectors", tenant, document, number) or {}

    def receipts(self) -> list[DeletionReceipt]:
        return [row for _, _, row in self.table("receipts")]

    def outbox(self) -> int:
        return sum(1 for _ in self.table("outbox"))


def written(changes: Any, table: str) -> Rows[Any]:
    """What a transaction put into a table: tenant, key and row; None stands for a row that went."""
    if table in changes:
        for tenant, rows in changes[table].items():
            if tenant is not None:
                for key, row in rows.items():
                    yield tenant, key, None if row is DELETED else row


def short(id: UUID) -> str:
    """Enough of an id to tell it from others."""
    return str(id)[-6:]
