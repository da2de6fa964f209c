"""Look at deletion receipts."""

from uuid import UUID

from shared.domain.errors import NotFound
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.receipts import DeletionReceipt
from shared.domain.tenants import Permission, Scope, TenantScope
from shared.ports.ports import Ports, Powers
from shared.ports.receipts import ReceiptFilter


async def list_receipts(
    scope: Scope, ports: Ports, wanted: ReceiptFilter, *, cursor: str | None, limit: int
) -> Page[DeletionReceipt]:
    """A page of receipts, newest first: of the project, and for who may see projects of the deleted ones too.

    Raises:
        InvalidCursor: a cursor of another listing.
    """
    scope.require(Permission.DOCUMENTS_READ)
    listing = fingerprint("receipts", scope.project_id, wanted)
    after = decode_cursor(cursor, listing) if cursor else None
    rows = await ports.receipts.list(scope, wanted, after, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.requested_at, row.id))


async def get_receipt(scope: Scope, ports: Ports, receipt_id: UUID) -> DeletionReceipt:
    """One receipt.

    Raises:
        NotFound: none of the project's, nor of a deleted one whose receipts the caller may see.
    """
    scope.require(Permission.DOCUMENTS_READ)
    found = await ports.receipts.one(scope, receipt_id)
    if found is None or not await _shown(scope, ports, found):
        raise NotFound("no such receipt in this project", code="receipt_not_found")
    return found


async def kept_receipt(scope: TenantScope, ports: Ports, receipt_id: UUID) -> DeletionReceipt:
    """One receipt of a tenant that is deleted or not, for who keeps the deployment: a deleted tenant has no keys.

    Raises:
        NotFound: none of the tenant's.
    """
    scope.require(Permission.PROJECTS_READ)
    found = await ports.receipts.one(scope, receipt_id)
    if found is None:
        raise NotFound("no such receipt of this tenant", code="receipt_not_found")
    return found


async def signing_key(powers: Powers) -> bytes:
    """The public key of this deployment's receipts.

    Raises:
        NotFound: none is configured.
    """
    if powers.signer is None:
        raise NotFound("this deployment does not sign its receipts", code="no_signing_key")
    return await powers.signer.public_key()


def sees_deleted_projects(scope: Scope) -> bool:
    """Whether receipts of the tenant's deleted projects are shown: to who sees its projects."""
    return Permission.PROJECTS_READ in scope.permissions


async def _shown(scope: Scope, ports: Ports, receipt: DeletionReceipt) -> bool:
    if receipt.project_id == scope.project_id:
        return True
    if not sees_deleted_projects(scope):
        return False
    return receipt.project_id is None or await ports.projects.get(scope, receipt.project_id) is None
