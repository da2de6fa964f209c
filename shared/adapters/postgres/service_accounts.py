"""Service accounts."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.member_tables import service_accounts
from shared.adapters.postgres.names import named
from shared.adapters.postgres.role_refs import read_role, role_values
from shared.adapters.postgres.statements import ID, TENANT, page_after
from shared.domain.members import ServiceAccount
from shared.domain.pages import After
from shared.domain.tenants import TenantScope

A = service_accounts.c
ADD = insert(service_accounts)
LIST = select(service_accounts).where(A.tenant_id == TENANT)
GET = LIST.where(A.id == ID)
SAVE = update(service_accounts).where((A.tenant_id == TENANT) & (A.id == ID))
REMOVE = delete(service_accounts).where((A.tenant_id == TENANT) & (A.id == ID))


class PgServiceAccounts:
    """Storage of service accounts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: TenantScope, account: ServiceAccount) -> None:
        """Store a new account.

        Raises:
            Conflict: there is one of this name, or no such role or project; the transaction is over then.
        """
        values = {
            **_values(account),
            "tenant_id": scope.tenant_id,
            "id": account.id,
            "project_id": account.project_id,
            "created_by": account.created_by,
            "created_at": account.created_at,
        }
        await named(self._session, ADD, values, "service account", account.name)

    async def get(self, scope: TenantScope, account_id: UUID) -> ServiceAccount | None:
        """One account, a disabled one too."""
        return _account(await self._session.first(GET, {"tenant": scope.tenant_id, "of_id": account_id}))

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[ServiceAccount]:
        """Accounts, newest first."""
        statement, place = page_after(LIST, service_accounts, after, limit)
        rows = await self._session.all(statement, {"tenant": scope.tenant_id, **place})
        return [one for row in rows if (one := _account(row))]

    async def save(self, scope: TenantScope, account: ServiceAccount) -> None:
        """Write a changed account back.

        Raises:
            Conflict: there is another of this name; the transaction is over then.
        """
        where = {"tenant": scope.tenant_id, "of_id": account.id}
        await named(self._session, SAVE.values(_values(account)), where, "service account", account.name)

    async def remove(self, scope: TenantScope, account_id: UUID) -> bool:
        """Remove an account with its keys; False: there is none."""
        return (await self._session.run(REMOVE, {"tenant": scope.tenant_id, "of_id": account_id})).rowcount > 0


def _values(account: ServiceAccount) -> dict[str, object]:
    return {
        **role_values(account.role),
        "name": account.name,
        "description": account.description,
        "disabled_at": account.disabled_at,
    }


def _account(row: Any) -> ServiceAccount | None:
    role = None if row is None else read_role(row)
    if role is None:
        return None
    return ServiceAccount(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        name=row.name,
        description=row.description,
        role=role,
        created_by=row.created_by,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )
