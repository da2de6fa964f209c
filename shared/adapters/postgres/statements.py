"""Shapes that several repositories' statements share."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, Select, Table, bindparam, tuple_

from shared.domain.pages import After

TENANT: BindParameter[Any] = bindparam("tenant")
PROJECT: BindParameter[Any] = bindparam("project")
ID: BindParameter[Any] = bindparam("of_id")
NUMBER: BindParameter[Any] = bindparam("of_number")


def page_after(
    statement: Select[Any], table: Table, after: After | None, limit: int
) -> tuple[Select[Any], Mapping[str, object]]:
    """The statement's rows newest first, from behind `after`, with the parameters it now needs as well.

    The table has `created_at` and `id`, and an index that ends in them.
    """
    ordered = statement.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(bindparam("most"))
    if after is None:
        return ordered, {"most": limit}
    place = tuple_(bindparam("after_at", type_=table.c.created_at.type), bindparam("after_id", type_=table.c.id.type))
    return ordered.where(tuple_(table.c.created_at, table.c.id) < place), {
        "most": limit,
        "after_at": after.at,
        "after_id": after.id,
    }
