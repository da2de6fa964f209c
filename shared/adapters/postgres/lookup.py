"""Statements that are compiled once."""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, cast

import psycopg
from psycopg.rows import RowMaker
from sqlalchemy import ARRAY, ClauseElement, Select, text
from sqlalchemy.dialects import registry

DIALECT = registry.load("postgresql.psycopg_async")()


class Lookup:
    """A statement whose SQL never changes: SQLAlchemy compiles it once, and the driver alone runs it.

    That takes half the time of running it through both. Rows are named tuples.
    """

    def __init__(self, statement: ClauseElement, columns: Sequence[str] = (), *, reads: bool = False) -> None:
        """Compiles nothing yet.

        Args:
            statement: no parameter that expands; what it reads are values that the driver itself reads.
            columns: those an INSERT or UPDATE gives values to, each by a parameter of its own name.
            reads: it is text that changes nothing and locks nothing; of a SELECT that is seen.
        """
        self._statement = statement
        self._columns = list(columns)
        self.reads = reads or only_reads(statement)

    @cached_property
    def sql(self) -> str:
        """What the driver runs."""
        return str(self._compiled)

    def given(self, parameters: Mapping[str, object] | None) -> Mapping[str, object]:
        """The parameters as the driver takes them, with those that are part of the statement."""
        given = {**self._constants, **(parameters or {})}
        for name, written in self._written.items():
            given[name] = written(given[name])
        return given

    @cached_property
    def _constants(self) -> Mapping[str, object]:
        return {
            name: one.effective_value
            for name, one in self._compiled.binds.items()
            if not (one.required or one.expanding)
        }

    @cached_property
    def _written(self) -> Mapping[str, Callable[[object], object]]:
        """What SQLAlchemy does to a value before the driver gets it, for those to which it does anything."""
        found = {name: one.type.dialect_impl(DIALECT) for name, one in self._compiled.binds.items()}
        # The driver writes lists itself; SQLAlchemy would only copy them.
        return {
            name: written
            for name, kind in found.items()
            if not isinstance(kind, ARRAY) and (written := kind.bind_processor(DIALECT)) is not None
        }

    @cached_property
    def _compiled(self) -> Any:
        for column in self._statement.selected_columns if isinstance(self._statement, Select) else ():
            # The driver reads arrays whole; SQLAlchemy would only copy their lists.
            kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
            if kind.dialect_impl(DIALECT).result_processor(DIALECT, None) is not None:
                raise TypeError(f"{column} is read by more than the driver")
        return self._statement.compile(dialect=DIALECT, column_keys=self._columns or None)


def only_reads(statement: object) -> bool:
    """Whether a statement is a SELECT that locks nothing. None of ours calls a function that changes something."""
    return isinstance(statement, Select) and statement._for_update_arg is None  # noqa: SLF001


@lru_cache(512)
def spelled(sql: str, *, reads: bool = False) -> Lookup:
    """A statement given as text, whose parameters the driver knows the types of; see `Lookup` for `reads`."""
    return Lookup(text(sql), reads=reads)


def named_rows(cursor: psycopg.AsyncCursor[Any]) -> RowMaker[Any]:
    """Rows as named tuples; a column whose name is none, or taken, goes by its place."""
    result = cursor.pgresult
    if result is None:
        return tuple
    return _kind(tuple(map(result.fname, range(result.nfields))))


@lru_cache(512)
def _kind(names: tuple[bytes | None, ...]) -> RowMaker[Any]:
    spelled_out = [(name or b"").decode() for name in names]
    return cast(Any, namedtuple("Row", spelled_out, rename=True))._make  # type: ignore[no-any-return]
