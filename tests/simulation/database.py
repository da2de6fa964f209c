"""The memory database behind faults: connections that break, commits nobody hears of, transactions that time out."""

from collections.abc import Awaitable
from typing import Any, Protocol

from shared.adapters.memory.rows import MemoryRows
from shared.adapters.memory.rows_transaction import Now, Tables, Transaction
from shared.domain.documents import Generation
from shared.domain.errors import CommitUnknown, Outage
from shared.domain.tenants import TenantScope
from tests.simulation.processes import Gate, Process, turn
from tests.simulation.watching import watched

ABOUT_LOOKING = frozenset({"cursors", "buckets"})
"""Tables of where a look around has come to, and when the next may be: writing them changes nothing else."""

type Changes = Any
"""What a transaction wrote: by table, tenant and key."""


class Witness(Protocol):
    """Looks at every commit, before and after it takes effect."""

    commits: int

    def before(self, process: Process, changes: Changes) -> Any: ...
    def after(self, process: Process, changes: Changes, seen: Any, began: int) -> None: ...


class Open:
    """One open transaction and whether its connection still stands."""

    __slots__ = ("began", "lost", "process", "transaction")

    def __init__(self, transaction: Transaction, process: Process, began: int) -> None:
        self.transaction = transaction
        self.process = process
        self.began = began
        self.lost = False

    def lose(self) -> None:
        """The connection is gone: the server undoes everything and lets go of the rows."""
        if not self.lost:
            self.lost = True
            self.transaction.end()

    def check(self) -> None:
        """See that the connection stands.

        Raises:
            Outage: it does not.
        """
        if self.lost:
            raise Outage("the database connection was lost", code="database_lost")


class RowsGuard:
    """In front of every repository of one transaction."""

    __slots__ = ("_gate", "_open")

    def __init__(self, gate: Gate, opened: Open) -> None:
        self._gate = gate
        self._open = opened

    def arrive(self, point: str) -> Process:
        """See `Gate.arrive`."""
        return self._gate.arrive(point)

    def hold(self, ticket: Process, port: str) -> Awaitable[None] | None:
        """See `Gate.hold`."""
        return None if ticket.faultless else self._gate.hold(ticket, port)

    def admit(self, ticket: Process, port: str) -> None:
        """See that the connection stands, or have it break."""
        gate = self._gate
        gate.check(ticket)
        self._open.check()
        if "database_lost" in gate.faults.rates and not ticket.faultless:
            if gate.faults.strikes("database_lost", gate.loop.time()):
                self._open.lose()
            self._open.check()

    def leave(self, ticket: Process, port: str, point: str) -> None:
        """A row that was waited for may come to a connection that is gone."""
        self._gate.check(ticket)
        self._open.check()


REVISION = "simulated"
REPOSITORIES = {name: type(made) for name, made in vars(MemoryRows(Transaction(Tables(), None), REVISION)).items()}
"""What `MemoryRows` consists of: a transaction of a history makes only those that it is asked for."""


class WatchedRows:
    """All repositories of one transaction, made and guarded when first asked for."""

    def __init__(self, transaction: Transaction, guard: RowsGuard) -> None:
        self._transaction = transaction
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        further = (REVISION,) if name == "tenants" else ()
        made = watched(REPOSITORIES[name](self._transaction, *further), name, self._guard)
        setattr(self, name, made)
        return made


class SimulatedStore:
    """One database, as long as the history lasts."""

    def __init__(self, gate: Gate, witness: Witness, now: Now) -> None:
        self.tables = Tables()
        self.now = now
        """The database's own clock, which is off by nothing."""
        self.gate = gate
        self.witness = witness
        self.opened: set[Open] = set()
        """Every transaction that is open."""
        self.changes = 0
        """Commits so far that changed more than where a look around had come to."""

    def remember(self, name: str, place: str) -> None:
        """A sweep that would have found nothing leaves its note all the same."""
        self.tables.rows["cursors"][None][name,] = place

    def transaction(self, scope: TenantScope | None) -> "SimulatedTransaction":
        """See `shared.bootstrap.Store`."""
        return SimulatedTransaction(self, scope)


class SimulatedTransaction:
    """One transaction of it, from the moment the connection is asked for."""

    __slots__ = ("_gate", "_opened", "_process", "_scope", "_store")

    def __init__(self, store: SimulatedStore, scope: TenantScope | None) -> None:
        self._store = store
        self._scope = scope

    async def __aenter__(self) -> WatchedRows:
        store, scope = self._store, self._scope
        gate = self._gate = store.gate
        process = self._process = await gate.enter("database", "begin")
        if not process.faultless and gate.faults.strikes("database_lost", gate.loop.time()):
            process.undone += 1
            raise Outage("the database cannot be reached", code="database_unreachable")
        transaction = Transaction(store.tables, None if scope is None else scope.tenant_id, now=store.now)
        opened = self._opened = Open(transaction, process, store.witness.commits)
        process.open.add(opened)
        store.opened.add(opened)
        if scope is not None:
            process.tenant = scope.tenant_id
        return WatchedRows(transaction, RowsGuard(gate, opened))

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        process, opened, gate = self._process, self._opened, self._gate
        committed = False
        try:
            if error is None:
                await self._commit()
                committed = True
        finally:
            process.open.discard(opened)
            self._store.opened.discard(opened)
            opened.transaction.end()
            if not committed:
                process.undone += 1
        if not committed:
            return
        if not process.faultless and gate.faults.strikes("commit_unknown_applied", gate.loop.time()):
            process.turned_away = True
            raise CommitUnknown("the database connection broke during commit")
        gate.point(process, "database.commit.after")

    async def _commit(self) -> None:
        process, opened, gate = self._process, self._opened, self._gate
        faults, now = gate.faults, gate.loop.time()
        opened.check()
        gate.point(process, "database.commit.before")
        if not process.faultless:
            if gate.loop.ready:
                await turn()
            gate.check(process)
            opened.check()
            if faults.strikes("commit_lost", now):
                raise Outage("the database refused to commit", code="database_conflict")
            if faults.strikes("commit_unknown_lost", now):
                raise CommitUnknown("the database connection broke during commit")
        witness, changes = self._store.witness, opened.transaction._changes
        if not process.faultless and self._claims(changes) and faults.strikes("claim_forgotten", now):
            self._forget()
            return
        seen = witness.before(process, changes)
        self._store.changes += self._news(changes)
        opened.transaction.commit()
        witness.after(process, changes, seen, opened.began)

    def _claims(self, changes: Changes) -> bool:
        """Whether a lease is taken: such a commit is answered before it is on the disk."""
        known = self._store.tables.rows["generations"]
        return any(
            row.lease_owner is not None and row.lease_owner != getattr(known[tenant].get(key), "lease_owner", None)
            for tenant, rows in changes.get("generations", {}).items()
            for key, row in rows.items()
            if isinstance(row, Generation)
        )

    def _forget(self) -> None:
        """The database crashes right after its answer: the claim was never made, and every connection is gone."""
        self._process.forgotten = True
        for other in list(self._store.opened - {self._opened}):
            other.lose()

    def _news(self, changes: Changes) -> bool:
        """Whether anything is written that is not there already: writing a row as it is changes nothing."""
        known = self._store.tables.rows
        return any(
            known[table][tenant].get(key) != row
            for table in changes.keys() - ABOUT_LOOKING
            for tenant, rows in changes[table].items()
            for key, row in rows.items()
        )
