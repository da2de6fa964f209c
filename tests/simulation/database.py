"""The memory database behind faults: connections that break, commits nobody hears of, transactions that time out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from shared.adapters.memory.rows import MemoryRows
from shared.adapters.memory.rows_transaction import Tables, Transaction
from shared.domain.errors import CommitUnknown, Unavailable
from shared.domain.tenants import TenantScope
from tests.simulation.processes import Gate, Process, turn
from tests.simulation.watching import watched

type Changes = Any
"""What a transaction wrote: by table, tenant and key."""


class Witness(Protocol):
    """Looks at every commit, before and after it takes effect."""

    def before(self, process: Process, changes: Changes) -> Any: ...
    def after(self, process: Process, changes: Changes, seen: Any) -> None: ...


class Open:
    """One open transaction and whether its connection still stands."""

    __slots__ = ("lost", "process", "transaction")

    def __init__(self, transaction: Transaction, process: Process) -> None:
        self.transaction = transaction
        self.process = process
        self.lost = False

    def lose(self) -> None:
        """The connection is gone: the server undoes everything and lets go of the rows."""
        if not self.lost:
            self.lost = True
            self.transaction.end()

    def check(self) -> None:
        """See that the connection stands.

        Raises:
            Unavailable: it does not.
        """
        if self.lost:
            raise Unavailable("the database connection was lost", code="database_lost")


class RowsGuard:
    """In front of every repository of one transaction."""

    __slots__ = ("_gate", "_open")

    def __init__(self, gate: Gate, opened: Open) -> None:
        self._gate = gate
        self._open = opened

    async def before(self, port: str, method: str) -> Process:
        """See the port's gate."""
        process = await self._gate.enter(port, method)
        self._open.check()
        if not process.faultless and self._gate.faults.strikes("database_lost", self._gate.loop.time()):
            self._open.lose()
            self._open.check()
        return process

    def after(self, ticket: Process, port: str, method: str) -> None:
        """A row that was waited for may come to a connection that is gone."""
        self._gate.check(ticket)
        self._open.check()


class WatchedRows:
    """All repositories of one transaction, guarded when first asked for."""

    def __init__(self, rows: MemoryRows, guard: RowsGuard) -> None:
        self._rows = rows
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        made = watched(getattr(self._rows, name), name, self._guard)
        setattr(self, name, made)
        return made


class SimulatedStore:
    """One database, as long as the history lasts."""

    def __init__(self, gate: Gate, witness: Witness, revision: str = "simulated") -> None:
        self.tables = Tables()
        self._gate = gate
        self._witness = witness
        self._revision = revision

    @asynccontextmanager
    async def transaction(self, scope: TenantScope | None) -> AsyncIterator[WatchedRows]:
        """See `shared.bootstrap.Store`."""
        gate = self._gate
        process = await gate.enter("database", "begin")
        if not process.faultless and gate.faults.strikes("database_lost", gate.loop.time()):
            process.undone += 1
            raise Unavailable("the database cannot be reached", code="database_unreachable")
        transaction = Transaction(self.tables, None if scope is None else scope.tenant_id)
        opened = Open(transaction, process)
        process.open.add(opened)
        if scope is not None:
            process.tenant = scope.tenant_id
        committed = False
        try:
            rows = WatchedRows(MemoryRows(transaction, self._revision), RowsGuard(gate, opened))
            yield rows
            await self._commit(process, opened)
            committed = True
        finally:
            process.open.discard(opened)
            transaction.end()
            if not committed:
                process.undone += 1
        if not process.faultless and gate.faults.strikes("commit_unknown_applied", gate.loop.time()):
            raise CommitUnknown("the database connection broke during commit")
        gate.point(process, "database", "commit", "after")

    async def _commit(self, process: Process, opened: Open) -> None:
        gate, faults, now = self._gate, self._gate.faults, self._gate.loop.time()
        opened.check()
        gate.point(process, "database", "commit", "before")
        if not process.faultless:
            await turn()
            gate.check(process)
            opened.check()
            if faults.strikes("commit_lost", now):
                raise Unavailable("the database refused to commit", code="database_conflict")
            if faults.strikes("commit_unknown_lost", now):
                raise CommitUnknown("the database connection broke during commit")
        changes = opened.transaction._changes
        seen = self._witness.before(process, changes)
        opened.transaction.commit()
        self._witness.after(process, changes, seen)
