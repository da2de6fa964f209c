"""Routes below one organisation: the caller's own, and to everybody else there is none."""

from typing import Annotated
from uuid import UUID

from shared.runtime.auth import AuthorisedTenant, TenantCall
from shared.runtime.web import Depends
from shared.usecases.orgs.manage import require_own


async def org_call(org_id: UUID, call: AuthorisedTenant) -> TenantCall:
    """Dependency: as `tenant_call`, for the organisation that the path names."""
    require_own(call.scope, org_id)
    return call


AuthorisedOrg = Annotated[TenantCall, Depends(org_call, scope="function")]
