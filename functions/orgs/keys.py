"""API keys of an organisation's members and service accounts."""

from uuid import UUID

from functions.orgs import schemas as s
from shared.runtime.orgs import AuthorisedOrg
from shared.runtime.paging import Cursor, Limit
from shared.runtime.web import Response, Router
from shared.usecases.keys import manage

router = Router()


@router.post("/orgs/{org_id}/keys", status_code=201)
async def mint_key(body: s.NewKey, call: AuthorisedOrg) -> s.KeySecretOut:
    """Mint a key that acts for you. The key is in this answer and nowhere else.

    It holds no permission that you do not hold, and when it is used none that you do not hold at that moment.
    """
    return s.KeySecretOut.of(await manage.mint(call.scope, call.ports, body.request()))


@router.get("/orgs/{org_id}/keys")
async def list_keys(
    call: AuthorisedOrg, owner: UUID | None = None, cursor: Cursor = None, limit: Limit = 50
) -> s.KeyPage:
    """List keys, newest first, of all or of one owner; those who manage no members see their own."""
    page = await manage.list_keys(call.scope, call.ports, owner=owner, cursor=cursor, limit=limit)
    return s.KeyPage.model_validate(page)


@router.get("/orgs/{org_id}/keys/{key_id}")
async def get_key(key_id: UUID, call: AuthorisedOrg) -> s.KeyOut:
    """One key: what it may do at the most, whom it acts for, when it was used last."""
    return s.KeyOut.model_validate(await manage.get(call.scope, call.ports, key_id))


@router.delete("/orgs/{org_id}/keys/{key_id}", status_code=204)
async def revoke_key(key_id: UUID, call: AuthorisedOrg) -> Response:
    """End a key, from this moment on."""
    await manage.revoke(call.scope, call.ports, key_id)
    return Response(status_code=204)


@router.post("/orgs/{org_id}/service-accounts/{account_id}/keys", status_code=201)
async def mint_account_key(account_id: UUID, body: s.NewKey, call: AuthorisedOrg) -> s.KeySecretOut:
    """Mint a key that acts for a service account. The key is in this answer and nowhere else."""
    return s.KeySecretOut.of(await manage.mint_for_account(call.scope, call.ports, account_id, body.request()))
