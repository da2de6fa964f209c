"""Organisations: the tenant itself, its people, roles and units, and what was done in it."""

from typing import Annotated
from uuid import UUID

from functions.orgs import accounts, invitations, keys, people, roles, units
from functions.orgs import schemas as s
from shared.runtime.auth import AuthorisedTenant, Founder
from shared.runtime.http import http_function
from shared.runtime.orgs import AuthorisedOrg
from shared.runtime.paging import Cursor, Limit
from shared.runtime.receipts import ReceiptOut, Sure
from shared.runtime.web import Depends, Router
from shared.usecases.audit import read
from shared.usecases.deletion import request
from shared.usecases.orgs import found, manage

router = Router(people.router, invitations.router, roles.router, units.router, keys.router, accounts.router)


@router.post("/orgs", status_code=201)
async def create_org(body: s.OrgChange, call: Founder) -> s.OrgOut:
    """Make an organisation; you are its owner, and it has a project named default."""
    return s.OrgOut.model_validate(await found.found(call.scope, call.founding, call.ports, body.name))


@router.get("/orgs/{org_id}")
async def get_org(call: AuthorisedOrg) -> s.OrgOut:
    """Your organisation."""
    return s.OrgOut.model_validate(await manage.get(call.scope, call.ports))


@router.patch("/orgs/{org_id}")
async def rename_org(body: s.OrgChange, call: AuthorisedOrg) -> s.OrgOut:
    """Give it another name."""
    return s.OrgOut.model_validate(await manage.rename(call.scope, call.ports, body.name))


@router.delete("/orgs/{org_id}", status_code=202)
async def delete_org(org_id: UUID, body: Sure, call: AuthorisedTenant) -> ReceiptOut:
    """Delete it with everything in it, and revoke every key, this one too; its name in the body says that you are sure.

    Keep the receipt's id: whoever keeps the deployment can show the completed receipt by it.
    """
    return ReceiptOut.of(await request.delete_tenant(call.scope, call.ports, org_id, body.name))


@router.get("/orgs/{org_id}/audit")
async def list_events(
    call: AuthorisedOrg, wanted: Annotated[s.Wanted, Depends()], cursor: Cursor = None, limit: Limit = 50
) -> s.AuditPage:
    """Who did what, on what, from where and when, newest first. Events are added, never changed or deleted."""
    page = await read.list_events(call.scope, call.ports, wanted.filter(), cursor=cursor, limit=limit)
    return s.AuditPage.model_validate(page)


handler = http_function(router)
