"""The tree of org units."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from shared.adapters.memory.references import refer
from shared.adapters.memory.rights import MAX_DEPTH, above
from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.errors import Conflict
from shared.domain.members import Unit
from shared.domain.tenants import TenantScope


class MemoryUnits:
    """Storage of the tree of org units."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: TenantScope, unit: Unit) -> None:
        """Store a new unit.

        Raises:
            Conflict: its place has one of this name, there is no such place, or it is too deep; the transaction is over
                then.
        """
        self._transaction.require(scope.tenant_id)
        await self._place(scope, unit)
        await self._transaction.put("units", scope.tenant_id, (unit.id,), unit)

    async def get(self, scope: TenantScope, unit_id: UUID) -> Unit | None:
        """One unit."""
        found: Unit | None = self._transaction.get("units", scope.tenant_id, (unit_id,))
        return found

    async def list(self, scope: TenantScope) -> Sequence[Unit]:
        """Every unit, by name."""
        rows = [row for _, row in self._transaction.items("units", scope.tenant_id)]
        return sorted(rows, key=lambda row: (row.name, row.id))

    async def above(self, scope: TenantScope, unit_id: UUID) -> Sequence[Unit]:
        """A unit and all it lies in, itself first."""
        ids = above(self._transaction, scope.tenant_id, unit_id)
        return [unit for id in ids if (unit := await self.get(scope, id))]

    async def save(self, scope: TenantScope, unit: Unit) -> None:
        """Write a renamed or moved unit back. Moves within a tenant come one after the other.

        Raises:
            Conflict: it would lie within itself or too deep, or its place has one of this name; the transaction is over
                then.
        """
        known = await self.get(scope, unit.id)
        if known is not None:
            await self._place(scope, unit)
            kept = replace(unit, created_at=known.created_at)
            await self._transaction.put("units", scope.tenant_id, (unit.id,), kept)

    async def remove(self, scope: TenantScope, unit_id: UUID) -> bool:
        """Remove a unit; False: there is none.

        Raises:
            Conflict: units or projects lie in it; the transaction is over then.
        """
        inside = [row for row in await self.list(scope) if row.parent_id == unit_id]
        projects = [row for _, row in self._transaction.items("projects", scope.tenant_id) if row.unit_id == unit_id]
        if inside or projects:
            raise Conflict("units or projects still lie in this unit", code="unit_not_empty")
        for table in ("unit_members", "invitations"):
            for key, row in list(self._transaction.items(table, scope.tenant_id)):
                if row.unit_id == unit_id:
                    await self._transaction.remove(table, scope.tenant_id, key)
        return await self._transaction.remove("units", scope.tenant_id, (unit_id,))

    async def _place(self, scope: TenantScope, unit: Unit) -> None:
        refer(self._transaction, scope.tenant_id, units=unit.parent_id)
        if unit.parent_id is not None:
            # Of two moves that would make a circle together the later sees the earlier.
            await self._transaction.lock("units.tree", scope.tenant_id, ())
            higher = above(self._transaction, scope.tenant_id, unit.parent_id)
            if unit.id in higher:
                raise Conflict("a unit cannot lie within itself", code="unit_cycle")
            if len(higher) + self._height(scope, unit.id) > MAX_DEPTH:
                raise Conflict(f"units lie {MAX_DEPTH} deep at the most", code="unit_too_deep")
        await self._transaction.lock("units.name", scope.tenant_id, (unit.parent_id, unit.name))
        for row in await self.list(scope):
            if (row.parent_id, row.name) == (unit.parent_id, unit.name) and row.id != unit.id:
                raise Conflict(f"there is a unit named {unit.name!r} already", code="name_taken")

    def _height(self, scope: TenantScope, unit_id: UUID) -> int:
        rows = [row for _, row in self._transaction.items("units", scope.tenant_id)]
        height, level = 1, [row.id for row in rows if row.parent_id == unit_id]
        while level:
            height, level = height + 1, [row.id for row in rows if row.parent_id in level]
        return height
