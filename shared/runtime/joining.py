"""Coming together: make an organisation, invite somebody, join. Mail is sent behind the commit."""

from uuid import UUID

from shared import bootstrap
from shared.domain.members import Invitation
from shared.domain.tenants import Tenant, TenantScope
from shared.domain.users import UserScope
from shared.runtime.named import address_seen
from shared.runtime.transactions import transaction
from shared.runtime.web import Request
from shared.usecases.invitations import accept, invite
from shared.usecases.invitations.invite import InvitationRequest
from shared.usecases.orgs import found
from shared.usecases.projects.bootstrap import founding_scope


async def founded(user: UserScope, name: str) -> Tenant:
    """Make an organisation whose owner the user is."""
    scope = founding_scope(bootstrap.powers().ids.new())
    async with transaction(scope) as ports:
        await ports.users.enter(user)
        return await found.found(user, scope, ports, name)


async def invited(scope: TenantScope, wanted: InvitationRequest) -> Invitation:
    """Note an invitation and write to the address."""
    mailer = bootstrap.powers().mailer
    async with transaction(scope) as ports:
        made = await invite.invite(scope, ports, wanted)
    await mailer.send(made.mail)
    return made.invitation


async def joined(user: UserScope, token: str, request: Request) -> UUID:
    """Accept an invitation; returns the organisation's id."""
    async with transaction(None) as ports:
        await ports.users.enter(user)
        return await accept.accept(user, ports, token, address_seen(request))
