"""What the database's foreign keys do."""

from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.errors import Conflict
from shared.domain.roles import RoleRef


def refer(transaction: Transaction, tenant_id: UUID, **ids: UUID | None) -> None:
    """See that rows are there: `table=id`, None refers to nothing.

    Raises:
        Conflict: one is not.
    """
    for table, id in ids.items():
        if id is not None and transaction.get(table, tenant_id, (id,)) is None:
            raise Conflict("it refers to something that is not there", code="missing_reference")


def own_role(role: RoleRef | None) -> UUID | None:
    """The id of a role of the tenant's own; None for a built-in one."""
    return role if isinstance(role, UUID) else None
