"""The filter language of listings and searches: a small typed JSON tree over document fields.

    {"field": "tags", "op": "contains", "value": "finance"}
    {"and": [ … ]}   {"or": [ … ]}   {"not": … }

Fields: document_id, name, path, media_type, language, tags, created_at, updated_at, metadata.<key>.
Operators: eq ne lt le gt ge in contains prefix exists. Keys of metadata are letters, digits, '_' and '-', 64 at most;
they reach a database only as bound parameters.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from shared.domain.errors import InvalidFilter
from shared.domain.storable import storable

if TYPE_CHECKING:
    from shared.domain.documents import Document

MAX_CONDITIONS = 50
MAX_DEPTH = 6
MAX_VALUES = 1000
METADATA_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")

Scalar = str | int | float | bool


class Op(StrEnum):
    """Comparison of a field with a value."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN = "in"
    CONTAINS = "contains"
    PREFIX = "prefix"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. Dates are datetimes and document ids UUIDs by now; `in` has a tuple."""

    field: str
    op: Op
    value: object


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Filter"


Filter = Condition | All | AnyOf | Not

TEXT_FIELDS = frozenset({"name", "path", "media_type", "language"})
DATE_FIELDS = frozenset({"created_at", "updated_at"})
ORDER = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})
ALLOWED: Mapping[str, frozenset[Op]] = {
    "document_id": frozenset({Op.EQ, Op.NE, Op.IN}),
    "tags": frozenset({Op.CONTAINS, Op.IN, Op.EXISTS}),
    **dict.fromkeys(TEXT_FIELDS, frozenset({Op.EQ, Op.NE, Op.IN, Op.PREFIX, Op.CONTAINS})),
    **dict.fromkeys(DATE_FIELDS, frozenset({Op.EQ}) | ORDER),
}
METADATA_OPS = frozenset(Op)


def parse_filter(data: object) -> Filter:
    """Read the JSON form.

    Raises:
        InvalidFilter: naming the path of the first part that is wrong and what is allowed there.
    """
    budget = [MAX_CONDITIONS]
    return _parse(data, "filter", 0, budget)


def _parse(data: object, path: str, depth: int, budget: list[int]) -> Filter:
    if depth > MAX_DEPTH:
        raise InvalidFilter(f"{path}: nested deeper than {MAX_DEPTH} levels")
    if not isinstance(data, Mapping):
        raise InvalidFilter(f"{path}: expected an object, got {type(data).__name__}")
    keys = set(data)
    if keys in ({"and"}, {"or"}):
        name = next(iter(keys))
        parts = data[name]
        if not isinstance(parts, Sequence) or isinstance(parts, str) or not parts:
            raise InvalidFilter(f"{path}.{name}: expected a list with at least one filter")
        parsed = tuple(_parse(part, f"{path}.{name}[{index}]", depth + 1, budget) for index, part in enumerate(parts))
        return All(parsed) if name == "and" else AnyOf(parsed)
    if keys == {"not"}:
        return Not(_parse(data["not"], f"{path}.not", depth + 1, budget))
    if keys != {"field", "op", "value"}:
        raise InvalidFilter(
            f"{path}: expected exactly field, op and value, or one of and, or, not; "
            f"got {', '.join(sorted(map(str, keys)))[:200]!r}"
        )
    budget[0] -= 1
    if budget[0] < 0:
        raise InvalidFilter(f"{path}: more than {MAX_CONDITIONS} conditions")
    return _condition(data["field"], data["op"], data["value"], path)


def _condition(field: object, op: object, value: object, path: str) -> Condition:
    if not isinstance(field, str):
        raise InvalidFilter(f"{path}.field: expected text")
    metadata = field.startswith("metadata.")
    if metadata and not METADATA_KEY.fullmatch(field.removeprefix("metadata.")):
        raise InvalidFilter(f"{path}.field: metadata keys are 1-64 letters, digits, '_' or '-'")
    allowed = METADATA_OPS if metadata else ALLOWED.get(field)
    if allowed is None:
        raise InvalidFilter(
            f"{path}.field: unknown field {field[:80]!r}; known: {', '.join(sorted(ALLOWED))}, metadata.<key>"
        )
    if not isinstance(op, str) or op not in {known.value for known in allowed}:
        raise InvalidFilter(f"{path}.op: {field} takes {', '.join(sorted(allowed))}")
    operator = Op(op)
    if operator is Op.EXISTS:
        if not isinstance(value, bool):
            raise InvalidFilter(f"{path}.value: exists takes true or false")
        return Condition(field, operator, value)
    if operator is Op.IN:
        if not isinstance(value, Sequence) or isinstance(value, str) or not 1 <= len(value) <= MAX_VALUES:
            raise InvalidFilter(f"{path}.value: in takes a list of 1-{MAX_VALUES} values")
        return Condition(field, operator, tuple(_value(field, item, f"{path}.value") for item in value))
    return Condition(field, operator, _value(field, value, f"{path}.value"))


def _value(field: str, value: object, path: str) -> object:
    if not storable(value):
        raise InvalidFilter(f"{path}: holds a NUL character or half a surrogate pair")
    if field in DATE_FIELDS:
        return _date(value, path)
    if field == "document_id":
        try:
            return UUID(str(value))
        except ValueError as error:
            raise InvalidFilter(f"{path}: expected a document id") from error
    if field in TEXT_FIELDS or field == "tags":
        if not isinstance(value, str):
            raise InvalidFilter(f"{path}: expected text")
        return value
    if not isinstance(value, str | int | float | bool):
        raise InvalidFilter(f"{path}: expected text, a number, true or false")
    return value


def _date(value: object, path: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidFilter(f"{path}: expected a date such as 2026-01-31 or 2026-01-31T12:00:00Z") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def matches(condition: Filter, document: "Document") -> bool:
    """Whether the document passes: what every store's own implementation must agree with."""
    match condition:
        case All(parts):
            return all(matches(part, document) for part in parts)
        case AnyOf(parts):
            return any(matches(part, document) for part in parts)
        case Not(part):
            return not matches(part, document)
        case Condition(field, op, value):
            return _compare(_field(field, document), op, value)


def _field(field: str, document: "Document") -> object:
    if field.startswith("metadata."):
        return document.metadata.get(field.removeprefix("metadata."))
    return document.id if field == "document_id" else getattr(document, field)


def _compare(actual: object, op: Op, value: object) -> bool:
    if op is Op.EXISTS:
        return (actual is not None and actual != ()) == value
    if isinstance(actual, tuple | list):
        wanted = value if isinstance(value, tuple) else (value,)
        return op in (Op.CONTAINS, Op.IN, Op.EQ) and any(_same(known, item) for known in actual for item in wanted)
    if op is Op.NE:
        return actual is not None and not _same(actual, value)
    if op is Op.EQ:
        return _same(actual, value)
    if op is Op.IN:
        return isinstance(value, tuple) and any(_same(actual, item) for item in value)
    if op in (Op.PREFIX, Op.CONTAINS):
        return (
            isinstance(actual, str)
            and isinstance(value, str)
            and (actual.startswith(value) if op is Op.PREFIX else value in actual)
        )
    return _ordered(actual, op, value)


def _same(actual: object, value: object) -> bool:
    # JSON tells true from 1; Python does not.
    return isinstance(actual, bool) == isinstance(value, bool) and actual == value


def _ordered(actual: object, op: Op, value: object) -> bool:
    """Numbers compare with numbers, text with text, dates with dates; anything else does not match."""
    for kind in (datetime, str, int | float):
        if (
            isinstance(actual, kind)
            and isinstance(value, kind)
            and not isinstance(actual, bool)
            and not isinstance(value, bool)
        ):
            left, right = actual, value
            return {Op.LT: left < right, Op.LE: left <= right, Op.GT: left > right, Op.GE: left >= right}[op]  # type: ignore[operator]
    return False
