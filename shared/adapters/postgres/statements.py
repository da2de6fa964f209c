"""Shapes that several repositories' statements share."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, Table, bindparam, select, tuple_

from shared.adapters.postgres.models import projects, tenants
from shared.domain.pages import After
from shared.domain.receipts import Subject, SubjectKind

TENANT: BindParameter[Any] = bindparam("tenant")
PROJECT: BindParameter[Any] = bindparam("project")
ID: BindParameter[Any] = bindparam("of_id")
NUMBER: BindParameter[Any] = bindparam("of_number")

# The wall in front of everything of a deleted project or tenant. It depends on no row, so it is asked once a statement.
ROOM_LIVE: ColumnElement[bool] = (
    select(projects.c.deleted_at.is_(None) & tenants.c.deleted_at.is_(None))
    .where(
        (projects.c.tenant_id == TENANT) & (projects.c.id == PROJECT) & (tenants.c.tenant_id == projects.c.tenant_id)
    )
    .scalar_subquery()
)
ROOM_LIVE_TEXT = """(
  SELECT p.deleted_at IS NULL AND t.deleted_at IS NULL FROM projects p JOIN tenants t ON t.tenant_id = p.tenant_id
  WHERE p.tenant_id = :tenant AND p.id = :project
)"""

COLUMNS_WITHIN = {
    SubjectKind.DOCUMENT: "id",
    SubjectKind.COLLECTION: "collection_id",
    SubjectKind.PROJECT: "project_id",
    SubjectKind.TENANT: "tenant_id",
}


def within(subject: Subject) -> str:
    """The condition on rows of documents that are the subject, or in it; it takes the parameter `subject`."""
    return f"{COLUMNS_WITHIN[subject.kind]} = :subject"


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
