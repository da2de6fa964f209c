"""Tenants and documents made straight in the database, for benchmarks that need many of them at once."""

import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.adapters.system.clock import SystemClock, SystemIds
from shared.domain.collections import Collection
from shared.domain.documents import Document, Generation, GenerationState, Source, upload_key
from shared.domain.tenants import KEY_PERMISSIONS, Credential, Principal, PrincipalKind, Project, Scope, TenantScope
from shared.ports.ports import Rows
from shared.usecases.documents.upload import recipe_of
from shared.usecases.projects.bootstrap import KEY_PREFIX, key_hash

IDS = SystemIds(SystemClock())


class Store(Protocol):
    """A database, in this process."""

    def transaction(self, scope: TenantScope | None) -> AbstractAsyncContextManager[Rows]: ...


async def new_tenant(store: Store, name: str) -> tuple[Scope, str]:
    """A tenant with a project; its scope, and a key that may do everything."""
    secret = KEY_PREFIX + IDS.secret()
    scope = Scope(IDS.new(), Principal(PrincipalKind.SYSTEM, "benchmark"), KEY_PERMISSIONS, IDS.new())
    now = datetime.now(UTC)
    async with store.transaction(scope) as rows:
        await rows.tenants.ensure(scope.tenant_id, name, now)
        await rows.projects.add(scope, Project(scope.project_id, scope.tenant_id, name, now))
        key = Credential(IDS.new(), scope.tenant_id, scope.project_id, "owner", KEY_PERMISSIONS, None, None)
        await rows.keys.add(scope, key, key_hash(secret), now)
    return scope, secret


async def slots(store: Store, scope: Scope, collection_id: uuid.UUID, count: int) -> Sequence[str]:
    """So many documents that wait for their upload, all in one transaction; returns the keys to upload to."""
    keys = []
    async with store.transaction(scope) as rows:
        collection = await rows.collections.get(scope, collection_id)
        if collection is None:
            raise LookupError(f"no collection {collection_id}")
        for number in range(count):
            document, generation = waiting(scope, collection, f"report-{number}.md")
            await rows.documents.add(scope, document, generation)
            keys.append(generation.source.key)
    return keys


def waiting(scope: Scope, collection: Collection, name: str) -> tuple[Document, Generation]:
    """A new document that waits for its upload."""
    now, id = datetime.now(UTC), IDS.new()
    document = Document(id, scope.tenant_id, scope.project_id, collection.id, name, now, now)
    generation = Generation(
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        document_id=id,
        number=1,
        state=GenerationState.AWAITING_UPLOAD,
        source=Source(upload_key(scope.tenant_id, id, 1)),
        recipe=recipe_of(collection),
        created_at=now,
        entered_at=now,
        due_at=now + timedelta(hours=2),
    )
    return document, generation
