"""Access lists, and the names by which they admit."""

from typing import Any
from uuid import UUID

from shared.adapters.memory.rights import above, of_member
from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.access import AccessList, ListKind, Lists, Reader, ReaderKind
from shared.domain.roles import RoleRef
from shared.domain.tenants import Scope


class MemoryAccess:
    """Storage of access lists."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, scope: Scope, kind: ListKind, id: UUID) -> Lists | None:
        """What decides about a document or a collection of the project; None: there is none, or it is deleted."""
        row = self._row(scope, kind, id)
        if row is None:
            return None
        own = self._transaction.list_of(kind, scope.tenant_id, id)
        if kind is ListKind.COLLECTION:
            return Lists(own, None)
        return Lists(own, self._transaction.list_of(ListKind.COLLECTION, scope.tenant_id, row.collection_id))

    async def put(self, scope: Scope, kind: ListKind, id: UUID, access: AccessList | None) -> bool:
        """Store a list, or, None, take it away; False: there is no such document or collection."""
        if self._row(scope, kind, id) is None:
            return False
        if access is None:
            await self._transaction.remove("access_lists", scope.tenant_id, (kind, id))
        else:
            await self._transaction.put("access_lists", scope.tenant_id, (kind, id), access)
        return True

    async def names(self, scope: Scope, user_id: UUID) -> frozenset[str]:
        """The names by which lists admit a member in the scope's project; none for who is no member, or suspended."""
        return names(self._transaction, scope.tenant_id, user_id, scope.project_id)

    async def everything(self) -> None:
        """See every document of the tenant until this transaction ends, whomever it admits."""
        self._transaction.admitted = None

    def _row(self, scope: Scope, kind: ListKind, id: UUID) -> Any:
        row = self._transaction.whole(f"{kind}s", scope.tenant_id, (id,))
        if row is None or row.project_id != scope.project_id:
            return None
        if kind is ListKind.COLLECTION:
            return None if row.deleted_at else row
        collection = self._transaction.get("collections", scope.tenant_id, (row.collection_id,))
        return None if row.tombstoned_at or collection.deleted_at else row


def names(transaction: Transaction, tenant_id: UUID, user_id: UUID, project_id: UUID | None) -> frozenset[str]:
    """A member's names in a project, as the database's own function finds them."""
    membership = transaction.get("memberships", tenant_id, (user_id,))
    if membership is None or membership.suspended_at is not None:
        return frozenset()
    units = {
        unit_id
        for _, row in transaction.items("unit_members", tenant_id)
        if row.user_id == user_id
        for unit_id in above(transaction, tenant_id, row.unit_id)
    }
    found = [Reader(ReaderKind.USER, str(user_id)), *(Reader(ReaderKind.UNIT, str(id)) for id in units)]
    found += [role_name(role) for role in of_member(transaction, tenant_id, user_id, project_id) if role is not None]
    return frozenset(one.name for one in found)


def role_name(role: RoleRef) -> Reader:
    """A role as a reader."""
    return Reader(ReaderKind.ROLE, str(role))
