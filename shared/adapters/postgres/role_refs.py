"""Roles as rows refer to them: a built-in one by name in `role`, one of the tenant's own by id in `role_id`."""

from typing import Any
from uuid import UUID

from shared.domain.roles import BuiltIn, RoleRef


def role_values(role: RoleRef | None) -> dict[str, object]:
    """Both columns."""
    if isinstance(role, UUID):
        return {"role": None, "role_id": role}
    return {"role": None if role is None else role.value, "role_id": None}


def read_role(row: Any) -> RoleRef | None:
    """The role of a row, or None."""
    if row.role_id is not None:
        own: UUID = row.role_id
        return own
    return None if row.role is None else BuiltIn(row.role)
