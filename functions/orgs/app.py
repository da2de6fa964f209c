"""The organisation a key belongs to: its tenant."""

from uuid import UUID

from functions.orgs.schemas import OrgOut
from shared.runtime.auth import AuthorisedTenant
from shared.runtime.http import http_function
from shared.runtime.receipts import ReceiptOut, Sure
from shared.runtime.web import Router
from shared.usecases.deletion import request
from shared.usecases.projects import manage

router = Router()


@router.get("/orgs/{org_id}")
async def get_org(org_id: UUID, call: AuthorisedTenant) -> OrgOut:
    """Your organisation."""
    return OrgOut.model_validate(await manage.organisation(call.scope, call.ports, org_id))


@router.delete("/orgs/{org_id}", status_code=202)
async def delete_org(org_id: UUID, body: Sure, call: AuthorisedTenant) -> ReceiptOut:
    """Delete it with everything in it, and revoke every key, this one too; its name in the body says that you are sure.

    Keep the receipt's id: whoever keeps the deployment can show the completed receipt by it.
    """
    return ReceiptOut.of(await request.delete_tenant(call.scope, call.ports, org_id, body.name))


handler = http_function(router)
