"""Invitations and the messages that carry them, which are sent behind the commit."""

from functools import partial
from uuid import UUID

from shared import bootstrap
from shared.domain.members import Invitation
from shared.domain.tenants import TenantScope
from shared.runtime.auth import TenantCall
from shared.runtime.transactions import transaction
from shared.usecases.invitations import invite
from shared.usecases.invitations.invite import InvitationRequest


async def invited(call: TenantCall, wanted: InvitationRequest) -> Invitation:
    """Note an invitation; its message leaves when that is committed."""
    mailer = call.ports.mailer
    made = await invite.invite(call.scope, call.ports, wanted)
    call.afterwards.append(partial(mailer.send, made.mail))
    return made.invitation


async def mailed_again(scope: TenantScope, invitation_id: UUID) -> None:
    """Send a message again that may not have left, with another code: the one before is kept nowhere."""
    async with transaction(scope) as ports:
        renewed = await invite.renew(scope, ports, invitation_id)
    if renewed is not None:
        await bootstrap.powers().mailer.send(renewed.mail)
