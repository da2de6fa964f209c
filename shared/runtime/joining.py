"""Invitations and the messages that carry them, which are sent behind the commit; and who leaves."""

from functools import partial
from uuid import UUID

from shared import bootstrap
from shared.domain.members import Invitation
from shared.domain.tenants import Permission, TenantScope
from shared.domain.users import UserScope
from shared.runtime.auth import TenantCall
from shared.runtime.transactions import transaction
from shared.usecases.invitations import invite
from shared.usecases.invitations.invite import InvitationRequest
from shared.usecases.members import manage


async def invited(call: TenantCall, wanted: InvitationRequest) -> Invitation:
    """Note an invitation; its message leaves when that is committed."""
    mailer = call.ports.mailer
    made = await invite.invite(call.scope, call.ports, wanted)
    call.afterwards.append(partial(mailer.send, made.mail))
    return made.invitation


async def left(user: UserScope, org_id: UUID) -> None:
    """End a membership of one's own, whatever one may do there."""
    scope = TenantScope(org_id, user.principal, frozenset({Permission.ORGS_READ}), address=user.address)
    async with transaction(scope) as ports:
        await manage.leave(scope, ports, user.user_id)


async def mailed_again(scope: TenantScope, invitation_id: UUID) -> None:
    """Send a message again that may not have left, with another code: the one before is kept nowhere."""
    async with transaction(scope) as ports:
        renewed = await invite.renew(scope, ports, invitation_id)
    if renewed is not None:
        await bootstrap.powers().mailer.send(renewed.mail)
