"""The tree of org units."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.member_tables import units
from shared.adapters.postgres.names import named
from shared.adapters.postgres.statements import ID, TENANT
from shared.domain.errors import Conflict
from shared.domain.members import Unit
from shared.domain.tenants import TenantScope

T = units.c
ADD_UNIT = insert(units)
UNITS = select(units).where(T.tenant_id == TENANT)
SAVE_UNIT = update(units).where((T.tenant_id == TENANT) & (T.id == ID))
REMOVE_UNIT = delete(units).where((T.tenant_id == TENANT) & (T.id == ID))
MAX_DEPTH = 32
"""As the rights look up, so far down a tree may go."""
ABOVE = text(f"""
WITH RECURSIVE above (id, parent_id, height) AS (
  SELECT u.id, u.parent_id, 0 FROM units u WHERE u.tenant_id = :tenant AND u.id = :of_id
  UNION ALL
  SELECT u.id, u.parent_id, a.height + 1 FROM above a JOIN units u ON u.tenant_id = :tenant AND u.id = a.parent_id
  WHERE a.height < {MAX_DEPTH}
)
SELECT u.* FROM above a JOIN units u ON u.tenant_id = :tenant AND u.id = a.id ORDER BY a.height
""")
HEIGHT = text(f"""
WITH RECURSIVE below (id, depth) AS (
  SELECT u.id, 1 FROM units u WHERE u.tenant_id = :tenant AND u.id = :of_id
  UNION ALL
  SELECT u.id, b.depth + 1 FROM below b JOIN units u ON u.tenant_id = :tenant AND u.parent_id = b.id
  WHERE b.depth < {MAX_DEPTH + 1}
)
SELECT coalesce(max(depth), 0) FROM below
""")
# Of two moves that would make a circle together the later sees the earlier.
TAKE_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:tree, 0))")


class PgUnits:
    """Storage of the tree of org units."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: TenantScope, unit: Unit) -> None:
        """Store a new unit.

        Raises:
            Conflict: its place has one of this name, there is no such place, or it is too deep; the transaction is over
                then.
        """
        await self._place(scope, unit)
        values = {
            "tenant_id": scope.tenant_id,
            "id": unit.id,
            "parent_id": unit.parent_id,
            "name": unit.name,
            "created_at": unit.created_at,
        }
        await named(self._session, ADD_UNIT, values, "unit", unit.name)

    async def get(self, scope: TenantScope, unit_id: UUID) -> Unit | None:
        """One unit."""
        row = await self._session.first(UNITS.where(T.id == ID), {"tenant": scope.tenant_id, "of_id": unit_id})
        return None if row is None else _unit(row)

    async def list(self, scope: TenantScope) -> Sequence[Unit]:
        """Every unit, by name."""
        rows = await self._session.all(UNITS.order_by(T.name, T.id), {"tenant": scope.tenant_id})
        return [_unit(row) for row in rows]

    async def above(self, scope: TenantScope, unit_id: UUID) -> Sequence[Unit]:
        """A unit and all it lies in, itself first."""
        rows = await self._session.all(ABOVE, {"tenant": scope.tenant_id, "of_id": unit_id})
        return [_unit(row) for row in rows]

    async def save(self, scope: TenantScope, unit: Unit) -> None:
        """Write a renamed or moved unit back. Moves within a tenant come one after the other.

        Raises:
            Conflict: it would lie within itself or too deep, or its place has one of this name; the transaction is over
                then.
        """
        await self._place(scope, unit)
        changed = {"name": unit.name, "parent_id": unit.parent_id}
        where = {"tenant": scope.tenant_id, "of_id": unit.id}
        await named(self._session, SAVE_UNIT.values(changed), where, "unit", unit.name)

    async def remove(self, scope: TenantScope, unit_id: UUID) -> bool:
        """Remove a unit; False: there is none.

        Raises:
            Conflict: units or projects lie in it; the transaction is over then.
        """
        try:
            return (await self._session.run(REMOVE_UNIT, {"tenant": scope.tenant_id, "of_id": unit_id})).rowcount > 0
        except Conflict as error:
            raise Conflict("units or projects still lie in this unit", code="unit_not_empty") from error

    async def _place(self, scope: TenantScope, unit: Unit) -> None:
        if unit.parent_id is None:
            return
        await self._session.run(TAKE_TURN, {"tree": f"units {scope.tenant_id}"})
        above = await self.above(scope, unit.parent_id)
        if any(one.id == unit.id for one in above):
            raise Conflict("a unit cannot lie within itself", code="unit_cycle")
        height = await self._session.scalar(HEIGHT, {"tenant": scope.tenant_id, "of_id": unit.id})
        if len(above) + max(1, height) > MAX_DEPTH:
            raise Conflict(f"units lie {MAX_DEPTH} deep at the most", code="unit_too_deep")


def _unit(row: Any) -> Unit:
    return Unit(row.id, row.tenant_id, row.parent_id, row.name, row.created_at)
