"""Making an organisation, joining one, and two owners at once: the use cases on every store's own walls and locks."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest

from shared import bootstrap
from shared.adapters.memory.clock import ManualClock, SequenceIds
from shared.domain.errors import Conflict, Forbidden, LambentError
from shared.domain.members import Membership
from shared.domain.roles import PERMISSIONS, BuiltIn
from shared.domain.tenants import TenantScope
from shared.domain.users import User, UserScope
from shared.ports.audit import AuditFilter
from shared.usecases.invitations.accept import accept
from shared.usecases.invitations.invite import InvitationRequest, invite
from shared.usecases.members.manage import change_role
from shared.usecases.orgs.found import found
from shared.usecases.projects.bootstrap import founding_scope
from tests.contracts.samples import NOW, Store, new_id


@pytest.fixture(autouse=True)
def kit(store: Store) -> Iterator[None]:
    clock = ManualClock(NOW)
    with bootstrap.override(store=store, clock=clock, ids=SequenceIds(new_id().int % 10**9, clock)):
        yield


async def somebody() -> User:
    id = new_id()
    user = User(id, f"{id}@example.com", "Ada", NOW, verified_at=NOW)
    async with bootstrap.transaction(None) as ports:
        await ports.users.add(UserScope(id), user, None)
    return user


async def organisation(owner: User) -> TenantScope:
    scope = founding_scope(new_id())
    async with bootstrap.transaction(scope) as ports:
        await ports.users.enter(UserScope(owner.id))
        assert (await found(UserScope(owner.id), scope, ports, "Engines")).name == "Engines"
    return as_owner(owner, scope.tenant_id)


async def join(user: User, code: str) -> UUID | str:
    """Where they belong now, or why not."""
    try:
        async with bootstrap.transaction(None) as ports:
            await ports.users.enter(UserScope(user.id))
            return await accept(UserScope(user.id), ports, code, "192.0.2.1")
    except LambentError as error:
        return error.code


def as_owner(user: User, tenant_id: UUID) -> TenantScope:
    return TenantScope(tenant_id, UserScope(user.id).principal, PERMISSIONS[BuiltIn.OWNER], address="192.0.2.1")


async def test_user_who_was_invited_joins_once(store: Store) -> None:
    ada, bo = await somebody(), await somebody()
    scope = await organisation(ada)
    async with bootstrap.transaction(scope) as ports:
        made = await invite(scope, ports, InvitationRequest(bo.email, BuiltIn.EDITOR))
    code = made.mail.text.split("\n\n")[1]
    came = [await join(user, code) for user in (ada, bo, bo)]
    assert came == ["invalid_token", scope.tenant_id, "invalid_token"]
    async with bootstrap.transaction(scope) as ports:
        member = await ports.members.get(scope, bo.id)
        assert member is not None
        assert member.membership.role is BuiltIn.EDITOR
        events = await ports.audit.list(scope, AuditFilter(), None, 9)
        assert {one.action for one in events} == {"organisation.created", "invitation.made", "member.joined"}
        assert {one.address for one in events if one.action != "organisation.created"} == {"192.0.2.1"}


async def test_two_owners_who_demote_each_other_at_once_leave_one(store: Store) -> None:
    ada, bo = await somebody(), await somebody()
    scope = await organisation(ada)
    async with bootstrap.transaction(scope) as ports:
        await ports.members.add(scope, Membership(scope.tenant_id, bo.id, BuiltIn.OWNER, NOW))

    async def demote(actor: User, target: User) -> object:
        own = as_owner(actor, scope.tenant_id)
        try:
            async with bootstrap.transaction(own) as ports:
                return await change_role(own, ports, target.id, BuiltIn.VIEWER)
        except LambentError as error:
            return error

    outcomes = await asyncio.gather(demote(ada, bo), demote(bo, ada))
    (refused,) = [one for one in outcomes if isinstance(one, LambentError)]
    assert isinstance(refused, Forbidden | Conflict)
    async with bootstrap.transaction(scope) as ports:
        assert len(await ports.members.owners(scope)) == 1
