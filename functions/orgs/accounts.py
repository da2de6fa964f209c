"""Service accounts of an organisation."""

from uuid import UUID

from functions.orgs import schemas as s
from shared.runtime.orgs import AuthorisedOrg
from shared.runtime.paging import Cursor, Limit
from shared.runtime.web import Response, Router
from shared.usecases.service_accounts import manage

router = Router()


@router.post("/orgs/{org_id}/service-accounts", status_code=201)
async def create_account(body: s.NewAccount, call: AuthorisedOrg) -> s.AccountOut:
    """Make a service account with a role, in one project or in all; it signs in by keys alone."""
    return s.AccountOut.model_validate(await manage.create(call.scope, call.ports, body.request()))


@router.get("/orgs/{org_id}/service-accounts")
async def list_accounts(call: AuthorisedOrg, cursor: Cursor = None, limit: Limit = 50) -> s.AccountPage:
    """List service accounts, newest first, disabled ones too."""
    page = await manage.list_accounts(call.scope, call.ports, cursor=cursor, limit=limit)
    return s.AccountPage.model_validate(page)


@router.get("/orgs/{org_id}/service-accounts/{account_id}")
async def get_account(account_id: UUID, call: AuthorisedOrg) -> s.AccountOut:
    """One service account."""
    return s.AccountOut.model_validate(await manage.get(call.scope, call.ports, account_id))


@router.patch("/orgs/{org_id}/service-accounts/{account_id}")
async def change_account(account_id: UUID, body: s.AccountChange, call: AuthorisedOrg) -> s.AccountOut:
    """Change it, and with its role what its keys may do."""
    changed = await manage.change(call.scope, call.ports, account_id, **body.model_dump())
    return s.AccountOut.model_validate(changed)


@router.post("/orgs/{org_id}/service-accounts/{account_id}/disable")
async def disable_account(account_id: UUID, call: AuthorisedOrg) -> s.AccountOut:
    """Make all its keys worthless until it is enabled again."""
    return s.AccountOut.model_validate(await manage.disable(call.scope, call.ports, account_id))


@router.post("/orgs/{org_id}/service-accounts/{account_id}/enable")
async def enable_account(account_id: UUID, call: AuthorisedOrg) -> s.AccountOut:
    """Let its keys be good again."""
    return s.AccountOut.model_validate(await manage.enable(call.scope, call.ports, account_id))


@router.delete("/orgs/{org_id}/service-accounts/{account_id}", status_code=204)
async def delete_account(account_id: UUID, call: AuthorisedOrg) -> Response:
    """Delete it with its keys."""
    await manage.delete(call.scope, call.ports, account_id)
    return Response(status_code=204)
