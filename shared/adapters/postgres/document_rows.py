"""Rows of documents and generations, to and from domain values."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from shared.domain.documents import (
    Counts,
    Document,
    DocumentStatus,
    Generation,
    GenerationState,
    Reason,
    Recipe,
    Source,
)


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


def read_document(row: Row[Any]) -> Document:
    """A document of its row."""
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
        committed_generation=row.committed_generation,
        content_hash=row.content_hash,
        duplicate_of=row.duplicate_of,
        tombstoned_at=row.tombstoned_at,
        swept_at=row.swept_at,
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
    }


def read_generation(row: Row[Any], prefix: str = "") -> Generation:
    """A generation of its row, whose column names begin with `prefix`."""
    values = row._mapping
    return Generation(
        tenant_id=values[prefix + "tenant_id"],
        project_id=values[prefix + "project_id"],
        document_id=values[prefix + "document_id"],
        number=values[prefix + "number"],
        state=GenerationState(values[prefix + "state"]),
        source=Source(
            values[prefix + "source_key"],
            values[prefix + "source_version_id"],
            values[prefix + "source_sequencer"],
            values[prefix + "source_size"],
        ),
        recipe=Recipe(
            values[prefix + "recipe_reader"], values[prefix + "recipe_chunking"], values[prefix + "recipe_model"]
        ),
        created_at=values[prefix + "created_at"],
        entered_at=values[prefix + "entered_at"],
        due_at=values[prefix + "due_at"],
        lease_owner=values[prefix + "lease_owner"],
        lease_until=values[prefix + "lease_until"],
        attempts=values[prefix + "attempts"],
        waiting=values[prefix + "waiting"],
        failure=_reason(values[prefix + "failure"]),
        last_error=_reason(values[prefix + "last_error"]),
        content_hash=values[prefix + "content_hash"],
        title=values[prefix + "title"],
        language=values[prefix + "language"],
        media_type=values[prefix + "media_type"],
        counts=Counts(**values[prefix + "counts"]),
        timings=values[prefix + "timings"],
        warnings=tuple(values[prefix + "warnings"]),
        finished_at=values[prefix + "finished_at"],
    )


def _reason_values(reason: Reason | None) -> dict[str, str] | None:
    return None if reason is None else {"code": reason.code, "detail": reason.detail}


def _reason(values: Mapping[str, str] | None) -> Reason | None:
    return None if values is None else Reason(values["code"], values["detail"])
