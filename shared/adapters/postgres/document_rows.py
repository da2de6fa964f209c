"""Rows of documents and generations, to and from domain values."""

import json
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Row, Uuid

from shared.adapters.postgres.models import documents, generations
from shared.domain.documents import (
    Counts,
    Document,
    DocumentStatus,
    Generation,
    GenerationState,
    Progress,
    Reason,
    Recipe,
    Source,
)

GenerationRow = namedtuple("GenerationRow", [column.name for column in generations.columns])  # type: ignore[misc]

# All but the access list, which its own repository reads and sets.
SHOWN = tuple(column for column in documents.columns if not column.name.startswith("readers"))
DOCUMENT_COLUMNS = tuple(
    column.name
    for column in SHOWN
    if column.name not in ("tenant_id", "project_id", "id", "created_at", "committed_0", "committed_1")
)
GENERATION_KEY = ("tenant_id", "project_id", "document_id", "number")
GENERATION_COLUMNS = tuple(
    column.name for column in generations.columns if column.name not in (*GENERATION_KEY, "created_at")
)


DocumentRow = namedtuple("DocumentRow", [*(column.name for column in SHOWN), "gone_with", "live_slot"])  # type: ignore[misc]


def _of_json(column: Column[Any]) -> Callable[[Any], object] | None:
    """What makes a column's value of its JSON; None: it is its value."""
    if isinstance(column.type, Uuid):
        return UUID
    return datetime.fromisoformat if isinstance(column.type, DateTime) else None


OF_JSON = [*map(_of_json, SHOWN), datetime.fromisoformat, None, *map(_of_json, generations.columns)]
"""In the order of the arrays that the server's functions make: see `read_array`."""


def document_values(document: Document) -> dict[str, object]:
    """What `save` may change."""
    return {
        "collection_id": document.collection_id,
        "name": document.name,
        "path": document.path,
        "media_type": document.media_type,
        "title": document.title,
        "language": document.language,
        "size": document.size,
        "tags": list(document.tags),
        "metadata": dict(document.metadata),
        "status": document.status.value,
        "latest_generation": document.latest_generation,
        "content_hash": document.content_hash,
        "duplicate_of": document.duplicate_of,
        "updated_at": document.updated_at,
        "tombstoned_at": document.tombstoned_at,
        "swept_at": document.swept_at,
    }


def read_document(row: Any) -> Document:
    """A document of its row: all columns of `documents`, and `live_slot`, that of the index which is searched."""
    return Document(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        collection_id=row.collection_id,
        name=row.name,
        created_at=row.created_at,
        updated_at=row.updated_at,
        path=row.path,
        media_type=row.media_type,
        title=row.title,
        language=row.language,
        size=row.size,
        tags=tuple(row.tags),
        metadata=row.metadata,
        status=DocumentStatus(row.status),
        latest_generation=row.latest_generation,
        committed_generation=row.committed_1 if row.live_slot else row.committed_0,
        standby_generation=row.committed_0 if row.live_slot else row.committed_1,
        slot=row.live_slot,
        content_hash=row.content_hash,
        duplicate_of=row.duplicate_of,
        tombstoned_at=row.tombstoned_at,
        swept_at=row.swept_at,
        gone_with=row.gone_with,
    )


def generation_values(generation: Generation) -> dict[str, object]:
    """What `save_generation` may change."""
    return {
        "state": generation.state.value,
        "source_key": generation.source.key,
        "source_version_id": generation.source.version_id,
        "source_sequencer": generation.source.sequencer,
        "source_size": generation.source.size,
        "recipe_reader": generation.recipe.reader,
        "recipe_chunking": generation.recipe.chunking,
        "recipe_model": generation.recipe.model,
        "recipe_pipeline": generation.recipe.pipeline,
        "entered_at": generation.entered_at,
        "due_at": generation.due_at,
        "lease_owner": generation.lease_owner,
        "lease_until": generation.lease_until,
        "attempts": generation.attempts,
        "waiting": generation.waiting,
        "failure": _reason_values(generation.failure),
        "last_error": _reason_values(generation.last_error),
        "content_hash": generation.content_hash,
        "title": generation.title,
        "language": generation.language,
        "media_type": generation.media_type,
        "counts": asdict(generation.counts),
        "timings": dict(generation.timings),
        "warnings": list(generation.warnings),
        "finished_at": generation.finished_at,
        "text_generation": generation.text_generation,
        "ingestion_id": generation.ingestion_id,
        "progress": None if generation.progress is None else asdict(generation.progress),
        "index_id": generation.index,
        "slot": generation.slot,
        "origin": generation.origin,
    }


def read_both(row: Row[Any]) -> tuple[Document, Generation]:
    """A row as `read_document` takes it, then all of `generations`: both have some of the same names."""
    return read_document(row), read_generation(GenerationRow(*row[len(SHOWN) + 2 :]))


def read_array(text: str) -> tuple[Document, Generation]:
    """A JSON array of what `read_both` takes from a row, in the same order."""
    values = [
        value if make is None or value is None else make(value)
        for make, value in zip(OF_JSON, json.loads(text), strict=True)
    ]
    documents_part = len(SHOWN) + 2
    return read_document(DocumentRow(*values[:documents_part])), read_generation(
        GenerationRow(*values[documents_part:])
    )


def read_generation(row: Any) -> Generation:
    """A generation of its row."""
    return Generation(
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        document_id=row.document_id,
        number=row.number,
        state=GenerationState(row.state),
        source=Source(row.source_key, row.source_version_id, row.source_sequencer, row.source_size),
        recipe=Recipe(row.recipe_reader, row.recipe_chunking, row.recipe_model, row.recipe_pipeline),
        created_at=row.created_at,
        entered_at=row.entered_at,
        due_at=row.due_at,
        lease_owner=row.lease_owner,
        lease_until=row.lease_until,
        attempts=row.attempts,
        waiting=row.waiting,
        failure=_reason(row.failure),
        last_error=_reason(row.last_error),
        content_hash=row.content_hash,
        title=row.title,
        language=row.language,
        media_type=row.media_type,
        counts=Counts(**row.counts),
        timings=row.timings,
        warnings=tuple(row.warnings),
        finished_at=row.finished_at,
        text_generation=row.text_generation,
        ingestion_id=row.ingestion_id,
        progress=None if row.progress is None else Progress(**row.progress),
        index=row.index_id,
        slot=row.slot,
        origin=row.origin,
    )


def _reason_values(reason: Reason | None) -> dict[str, str] | None:
    return None if reason is None else {"code": reason.code, "detail": reason.detail}


def _reason(values: Mapping[str, str] | None) -> Reason | None:
    return None if values is None else Reason(values["code"], values["detail"])
