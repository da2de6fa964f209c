"""Delete a collection, a project or a tenant: one tombstone, whatever is in it, and the sweep does the rest.

The tombstone is on the thing itself. Every read looks at it, so nothing in it is found, listed or answered from the
moment the delete is; a key of a deleted project or tenant is no key any more.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from shared.domain.errors import Conflict, NotFound
from shared.domain.receipts import PATIENCE, DeletionReceipt, Subject, SubjectKind
from shared.domain.tenants import Permission, Scope, TenantScope
from shared.ports.ports import Ports
from shared.usecases.audit.note import note
from shared.usecases.outbox.send import send_erase


async def delete_collection(scope: Scope, ports: Ports, collection_id: UUID) -> DeletionReceipt:
    """Delete a collection with its documents. Deleting twice returns the same receipt.

    Raises:
        NotFound: none of this project's.
    """
    scope.require(Permission.COLLECTIONS_WRITE)
    scope.require(Permission.DOCUMENTS_DELETE)
    known = await ports.collections.get(scope, collection_id, deleted=True)
    if known is None:
        raise NotFound("no such collection in this project", code="collection_not_found")
    now = ports.clock.now()
    if known.deleted_at is None:
        await ports.collections.save(scope, replace(known, deleted_at=now))
    return await _begun(scope, ports, Subject(SubjectKind.COLLECTION, known.id), scope.project_id, now)


async def delete_project(scope: TenantScope, ports: Ports, project_id: UUID, name: str) -> DeletionReceipt:
    """Delete a project with everything in it; its keys are revoked. Deleting twice returns the same receipt.

    Args:
        scope: of the tenant.
        ports: in an open transaction.
        project_id: which.
        name: the project's name, said again by whoever is sure.

    Raises:
        NotFound: none of the tenant's.
        Conflict: it has another name.
    """
    scope.require(Permission.PROJECTS_WRITE)
    scope.require(Permission.DOCUMENTS_DELETE)
    known = await ports.projects.get(scope, project_id, deleted=True)
    if known is None:
        raise NotFound("no such project", code="project_not_found")
    now = ports.clock.now()
    if known.deleted_at is None:
        _sure(known.name, name, "project")
        await ports.projects.save(scope, replace(known, deleted_at=now))
        await note(scope, ports, "project.deleted", known.id, project_id=known.id, before={"name": known.name})
    return await _begun(scope, ports, Subject(SubjectKind.PROJECT, known.id), known.id, now)


async def delete_tenant(scope: TenantScope, ports: Ports, tenant_id: UUID, name: str) -> DeletionReceipt:
    """Delete the caller's tenant with everything in it; every key is revoked, the caller's too.

    Args:
        scope: of the tenant.
        ports: in an open transaction.
        tenant_id: the caller's own.
        name: the tenant's name, said again by whoever is sure.

    Raises:
        NotFound: it is another's, or gone.
        Conflict: it has another name.
    """
    scope.require(Permission.TENANT_DELETE)
    known = await ports.tenants.get(scope)
    if known is None or tenant_id != scope.tenant_id or known.deleted_at is not None:
        raise NotFound("no such tenant", code="tenant_not_found")
    _sure(known.name, name, "tenant")
    now = ports.clock.now()
    await ports.tenants.save(scope, replace(known, deleted_at=now))
    await note(scope, ports, "org.deleted", known.id)
    return await _begun(scope, ports, Subject(SubjectKind.TENANT, known.id), None, now)


def _sure(name: str, said: str, what: str) -> None:
    if name != said:
        raise Conflict(
            f"the {what} has another name",
            code="name_mismatch",
            hint=f"to delete it with everything in it, send its name: {name}",
        )


async def _begun(
    scope: TenantScope, ports: Ports, subject: Subject, project_id: UUID | None, now: datetime
) -> DeletionReceipt:
    # The subject's row is written, and so held: of two deletes at once the second finds the receipt of the first.
    known = await ports.receipts.of(scope, subject)
    if known is not None:
        return known
    receipt = DeletionReceipt(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        project_id=project_id,
        subject=subject,
        requested_by=str(scope.principal),
        requested_at=now,
        due_at=now + PATIENCE,
    )
    await ports.receipts.save(scope, receipt)
    await send_erase(scope, ports, receipt)
    return receipt
