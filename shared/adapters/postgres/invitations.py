"""Invitations."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.member_tables import invitations
from shared.adapters.postgres.role_refs import read_role, role_values
from shared.adapters.postgres.statements import ID, TENANT, page_after
from shared.domain.members import Invitation
from shared.domain.pages import After
from shared.domain.tenants import TenantScope
from shared.domain.users import email_key

I = invitations.c  # noqa: E741
ADD = insert(invitations)
LIST = select(invitations).where(I.tenant_id == TENANT)
GET = LIST.where(I.id == ID)
LOCK = GET.with_for_update(key_share=True)
SAVE = update(invitations).where((I.tenant_id == TENANT) & (I.id == ID))
# The function is the clerk's: it sees every tenant's. What it finds sets the context for the rest of the transaction.
FIND = text(
    "SELECT i.tenant_id, i.id, set_config('lambent.tenant', CAST(i.tenant_id AS text), true) AS context "
    "FROM lambent_invitation(:wanted) i"
)


class PgInvitations:
    """Storage of invitations."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: TenantScope, invitation: Invitation, token_hash: str) -> None:
        """Store a new invitation by the hash of its secret."""
        values = {
            **_values(invitation),
            **role_values(invitation.role),
            "tenant_id": scope.tenant_id,
            "id": invitation.id,
            "email": invitation.email,
            "email_key": email_key(invitation.email),
            "token_hash": token_hash,
            "unit_id": invitation.unit_id,
            "project_id": invitation.project_id,
            "invited_by": invitation.invited_by,
            "created_at": invitation.created_at,
        }
        await self._session.run(ADD, values)

    async def get(self, scope: TenantScope, invitation_id: UUID) -> Invitation | None:
        """One invitation."""
        return _invitation(await self._session.first(GET, {"tenant": scope.tenant_id, "of_id": invitation_id}))

    async def lock(self, scope: TenantScope, invitation_id: UUID) -> Invitation | None:
        """One invitation, locked until the transaction ends."""
        return _invitation(await self._session.first(LOCK, {"tenant": scope.tenant_id, "of_id": invitation_id}))

    async def find(self, token_hash: str) -> Invitation | None:
        """The invitation with this secret, whoever's it is, open or not, locked until the transaction ends.

        The transaction is in its tenant's context from then on.
        """
        found = await self._session.first(FIND, {"wanted": token_hash})
        if found is None:
            return None
        return _invitation(await self._session.first(LOCK, {"tenant": found.tenant_id, "of_id": found.id}))

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[Invitation]:
        """Invitations, newest first."""
        statement, place = page_after(LIST, invitations, after, limit)
        rows = await self._session.all(statement, {"tenant": scope.tenant_id, **place})
        return [one for row in rows if (one := _invitation(row))]

    async def save(self, scope: TenantScope, invitation: Invitation) -> None:
        """Write back whether it was accepted, by whom, whether it was revoked, and when it expires."""
        where = {"tenant": scope.tenant_id, "of_id": invitation.id}
        await self._session.run(SAVE.values(_values(invitation)), where)

    async def renew(self, scope: TenantScope, invitation_id: UUID, token_hash: str) -> None:
        """Put another secret in place of the one it has, by its hash."""
        where = {"tenant": scope.tenant_id, "of_id": invitation_id}
        await self._session.run(SAVE.values(token_hash=token_hash), where)


def _values(invitation: Invitation) -> dict[str, object]:
    return {
        "expires_at": invitation.expires_at,
        "accepted_at": invitation.accepted_at,
        "accepted_by": invitation.accepted_by,
        "revoked_at": invitation.revoked_at,
    }


def _invitation(row: Any) -> Invitation | None:
    if row is None:
        return None
    return Invitation(
        id=row.id,
        tenant_id=row.tenant_id,
        email=row.email,
        role=read_role(row),
        unit_id=row.unit_id,
        project_id=row.project_id,
        invited_by=row.invited_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        accepted_at=row.accepted_at,
        accepted_by=row.accepted_by,
        revoked_at=row.revoked_at,
    )
