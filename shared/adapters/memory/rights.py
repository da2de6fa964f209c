"""What a user may do in a tenant, as the database's own function finds it."""

from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.roles import PERMISSIONS, BuiltIn, RoleRef
from shared.domain.tenants import KEY_PERMISSIONS, Permission

MAX_DEPTH = 32


def of_role(transaction: Transaction, tenant_id: UUID, role: RoleRef | None) -> frozenset[Permission]:
    """What a role may do."""
    if isinstance(role, BuiltIn):
        return PERMISSIONS[role]
    found = None if role is None else transaction.get("roles", tenant_id, (role,))
    return frozenset() if found is None else found.permissions & KEY_PERMISSIONS


def above(transaction: Transaction, tenant_id: UUID, unit_id: UUID | None) -> list[UUID]:
    """A unit and all it lies in, itself first."""
    found: list[UUID] = []
    while unit_id is not None and len(found) < MAX_DEPTH:
        unit = transaction.get("units", tenant_id, (unit_id,))
        if unit is None:
            break
        found.append(unit_id)
        unit_id = unit.parent_id
    return found


def of_member(
    transaction: Transaction, tenant_id: UUID, user_id: UUID, project_id: UUID | None
) -> list[RoleRef | None]:
    """The roles that a member has in a project, or, None, in the tenant as a whole."""
    membership = transaction.get("memberships", tenant_id, (user_id,))
    if membership is None or membership.suspended_at is not None:
        return []
    roles = [membership.role]
    project = None if project_id is None else transaction.get("projects", tenant_id, (project_id,))
    if project is not None:
        places = [("project_members", project_id)]
        places += [("unit_members", unit_id) for unit_id in above(transaction, tenant_id, project.unit_id)]
        held = [transaction.get(table, tenant_id, (place, user_id)) for table, place in places]
        roles += [one.role for one in held if one is not None]
    return roles


def rights(transaction: Transaction, tenant_id: UUID, user_id: UUID, project_id: UUID | None) -> frozenset[Permission]:
    """All that a member may do in a project, or, None, in the tenant as a whole."""
    roles = of_member(transaction, tenant_id, user_id, project_id)
    return frozenset().union(*(of_role(transaction, tenant_id, role) for role in roles))
