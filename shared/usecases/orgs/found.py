"""Make an organisation: whoever makes it is its owner."""

from shared.domain.errors import Conflict
from shared.domain.tenants import Tenant, TenantScope
from shared.domain.users import UserScope
from shared.ports.ports import Ports
from shared.usecases.auth.register import found_organisation
from shared.usecases.orgs.manage import not_found

MOST = 50
"""Whoever belongs to so many makes no more."""


async def found(user: UserScope, scope: TenantScope, ports: Ports, name: str) -> Tenant:
    """Make an organisation with the user as its owner and a project named default.

    Args:
        user: who is signed in.
        scope: of the organisation that is to be.
        ports: in a transaction of both.
        name: its name.

    Raises:
        Conflict: the user belongs to too many.
        Invalid: a name that is none.
    """
    person = await ports.users.get(user)
    if person is None:
        raise not_found()
    if len(await ports.users.belongings(user)) >= MOST:
        raise Conflict(f"you belong to {MOST} organisations; nobody makes more", code="too_many_organisations")
    await found_organisation(scope, ports, person, name)
    made = await ports.tenants.get(scope)
    if made is None:
        raise not_found()
    return made
