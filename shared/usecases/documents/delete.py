"""Delete a document: answers are clean from this moment, every store is swept, and a receipt proves it."""

from dataclasses import replace
from uuid import UUID

from shared.domain.documents import DocumentStatus
from shared.domain.errors import NotFound
from shared.domain.receipts import DeletionReceipt, Subject, SubjectKind
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.outbox.send import send_sweep


async def delete(scope: Scope, ports: Ports, document_id: UUID) -> DeletionReceipt:
    """Write the tombstone and ask for the sweep. Deleting twice returns the same receipt.

    Raises:
        NotFound: no such document in this project.
    """
    scope.require(Permission.DOCUMENTS_DELETE)
    document = await ports.documents.lock(scope, document_id)
    if document is None or (document.gone_with is not None and document.tombstoned_at is None):
        raise NotFound("no such document in this project", code="document_not_found")
    known = await ports.receipts.get(scope, document_id)
    if document.deleted and known is not None:
        return known
    now = ports.clock.now()
    receipt = DeletionReceipt(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        subject=Subject(SubjectKind.DOCUMENT, document.id),
        requested_by=str(scope.principal),
        requested_at=now,
    )
    # Out of the statistics in the same transaction: a deleted document weighs nothing from this moment.
    for index in sorted(await ports.indexes.of(scope, document.collection_id), key=lambda one: one.slot):
        committed = document.committed_in(index.slot)
        if index.open and committed is not None:
            await ports.keywords.publish(scope, index.id, document.id, add=None, remove=committed)
    await ports.documents.save(
        scope, replace(document, tombstoned_at=now, updated_at=now, status=DocumentStatus.DELETING)
    )
    await ports.receipts.save(scope, receipt)
    await send_sweep(scope, ports, document.id)
    return receipt


async def receipt(scope: Scope, ports: Ports, document_id: UUID) -> DeletionReceipt:
    """The receipt of a document's deletion.

    Raises:
        NotFound: the document was never deleted, or never existed in this project.
    """
    scope.require(Permission.DOCUMENTS_READ)
    found = await ports.receipts.get(scope, document_id)
    if found is None:
        raise NotFound("there is no deletion receipt for this document", code="receipt_not_found")
    return found
