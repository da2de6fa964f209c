"""Filters as SQL.

Every value travels as a bound parameter; the outcome is that of `shared.domain.filters.matches`, never NULL.
"""

import json
from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    any_,
    cast,
    collate,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.adapters.postgres.models import documents
from shared.domain.filters import All, AnyOf, Condition, Filter, Not, Op

ORDERINGS: Mapping[Op, Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]] = {
    Op.LT: lt,
    Op.LE: le,
    Op.GT: gt,
    Op.GE: ge,
}


def compiled(filter: Filter) -> ColumnElement[bool]:
    """A condition on the `documents` table that is true for the documents that match and false for all others."""
    match filter:
        case All(parts):
            return and_(true(), *(compiled(part) for part in parts))
        case AnyOf(parts):
            return or_(false(), *(compiled(part) for part in parts))
        case Not(part):
            return not_(compiled(part))
        case Condition(field, op, value):
            if field.startswith("metadata."):
                return func.coalesce(_metadata(field.removeprefix("metadata."), op, value), false())
            if field == "tags":
                return _tags(op, value)
            return _column(field, op, value)


def _column(field: str, op: Op, value: object) -> ColumnElement[bool]:
    """Name, path, media type, language, dates and id: never NULL."""
    column = documents.c["id" if field == "document_id" else field]
    if op is Op.EQ:
        return column == value
    if op is Op.NE:
        return column != value
    if op is Op.IN:
        return column == any_(literal(list(_tuple(value)), ARRAY(column.type)))
    return (
        _text(column, op, str(value)) if isinstance(value, str) else ORDERINGS[op](column, literal(value, column.type))
    )


def _text(column: ColumnElement[Any], op: Op, value: str) -> ColumnElement[bool]:
    wanted = literal(value, Text)
    if op is Op.PREFIX:
        return func.starts_with(column, wanted)
    if op is Op.CONTAINS:
        return func.strpos(column, wanted) > 0
    # By code point, as Python compares.
    return ORDERINGS[op](collate(column, "C"), wanted)


def _tags(op: Op, value: object) -> ColumnElement[bool]:
    if op is Op.EXISTS:
        return (func.cardinality(documents.c.tags) > 0) == value
    wanted = _tuple(value) if isinstance(value, tuple) else (value,)
    return documents.c.tags.bool_op("&&")(literal(list(wanted), ARRAY(Text)))


def _metadata(key: str, op: Op, value: object) -> ColumnElement[bool]:
    """One key of the metadata; NULL where the document has no such key."""
    actual = documents.c.metadata.op("->", return_type=JSONB())(literal(key, Text))
    kind = func.jsonb_typeof(actual)
    if op is Op.EXISTS:
        return (func.coalesce(kind, "null") != "null") == value
    if op is Op.NE:
        return and_(kind.not_in(("null", "array")), actual != _json(value))
    if op in (Op.EQ, Op.IN):
        return _equal(actual, kind, _tuple(value) if isinstance(value, tuple) else (value,))
    if op is Op.CONTAINS:
        contained = _equal(actual, kind, (value,), scalars=False)
        within = and_(kind == "string", _text(_as_text(actual), op, value)) if isinstance(value, str) else false()
        return or_(contained, within)
    if isinstance(value, str):
        return and_(kind == "string", _text(_as_text(actual), op, value))
    if op is Op.PREFIX or isinstance(value, bool):
        return false()
    # JSON numbers compare as exact decimals; jsonb orders values of one kind by value.
    return and_(kind == "number", ORDERINGS[op](actual, _json(value)))


def _equal(
    actual: ColumnElement[Any], kind: ColumnElement[Any], wanted: tuple[object, ...], *, scalars: bool = True
) -> ColumnElement[bool]:
    """The value is one of those wanted, or is a list that has one of them."""
    values = literal([json.dumps(value) for value in wanted], ARRAY(Text))
    item = func.unnest(values).column_valued("item")
    # A list contains a scalar only at its top level (a special case of @>), and true is not 1.
    listed = and_(
        kind == "array", exists(select(item).where(actual.bool_op("@>")(cast(item, JSONB))).correlate(documents))
    )
    return or_(actual == any_(cast(values, ARRAY(JSONB))), listed) if scalars else listed


def _json(value: object) -> ColumnElement[Any]:
    return cast(literal(json.dumps(value), Text), JSONB)


def _as_text(actual: ColumnElement[Any]) -> ColumnElement[Any]:
    """The text of a JSON string without its quotes: `#>> '{}'`."""
    return actual.op("#>>", return_type=Text())(literal([], ARRAY(Text)))


def _tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)
