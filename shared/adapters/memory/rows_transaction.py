"""Tables in memory, and transactions over them that behave as the database's do.

READ COMMITTED: a transaction sees what others have committed, and what it wrote itself; what it wrote is kept apart
until it commits, and dropped when it fails. Whoever writes or locks a row holds it until the end, and others wait for
it in the order they came; a circle of waiting ends with an error for the one who closed it. Rows belong to tenants:
those of another tenant than the transaction's cannot be read or written.

There is no chance in here, and no time but what the store is given, so a test that decides the order of its
tasks gets the same outcome every time.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.domain.access import AccessList, ListKind, Lists
from shared.domain.errors import Forbidden, Unavailable

type Now = Callable[[], datetime]
type Key = tuple[object, ...]
type Rows = dict[Key, Any]
type Place = tuple[str, UUID | None, Key]

DELETED: object = object()
"""Stands for a row that the transaction has removed."""


def now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


class Tables:
    """What is committed, and who holds which row."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[UUID | None, Rows]] = defaultdict(lambda: defaultdict(dict))
        self.holders: dict[Place, Transaction] = {}
        self.queues: dict[Place, list[tuple[Transaction, asyncio.Future[None]]]] = defaultdict(list)


class Transaction:
    """One open transaction."""

    def __init__(
        self, tables: Tables, tenant_id: UUID | None, admitted: frozenset[str] | None = frozenset(), now: Now = now
    ) -> None:
        """Args:
        tables: shared by all transactions of a store.
        tenant_id: whose rows it may touch; None: nobody's, until a key is authenticated.
        admitted: the names by which access lists admit who asks; None: all documents are seen.
        now: the database's time.
        """
        self.tenant_id = tenant_id
        self.admitted = admitted
        self.now = now
        self.user_id: UUID | None = None
        """Whose own rows, outside all tenants, it may touch; None: nobody's, until somebody is known."""
        self.waits_for: Place | None = None
        """The row it is waiting for."""
        self._tables = tables
        self._changes: dict[str, dict[UUID | None, Rows]] = defaultdict(lambda: defaultdict(dict))
        self._held: list[Place] = []

    def get(self, table: str, tenant_id: UUID | None, key: Key) -> Any:
        """One row, or None."""
        row = self.whole(table, tenant_id, key)
        return None if row is not None and self._kept_back(table, row) else row

    def whole(self, table: str, tenant_id: UUID | None, key: Key) -> Any:
        """One row, or None, whatever its access list says."""
        if tenant_id != self.tenant_id and tenant_id is not None:
            return None
        return self._current(table, tenant_id, key)

    def list_of(self, kind: ListKind, tenant_id: UUID, id: UUID) -> AccessList | None:
        """The access list of a document or a collection."""
        found: AccessList | None = self._current("access_lists", tenant_id, (kind, id))
        return found

    def _kept_back(self, table: str, row: Any) -> bool:
        """The wall of access lists: whether a row is a document that whoever asks may not read."""
        if table != "documents" or self.admitted is None:
            return False
        own = self.list_of(ListKind.DOCUMENT, row.tenant_id, row.id)
        lists = Lists(own, self.list_of(ListKind.COLLECTION, row.tenant_id, row.collection_id))
        return not lists.admit(self.admitted, self.now())

    def require(self, tenant_id: UUID | None) -> None:
        """See that rows of this tenant may be written.

        Raises:
            Forbidden: they are another tenant's.
        """
        if tenant_id is not None and tenant_id != self.tenant_id:
            raise Forbidden("the rows are outside this transaction's tenant", code="outside_tenant")

    def require_user(self, user_id: UUID) -> None:
        """See that rows of this user may be written.

        Raises:
            Forbidden: they are another user's.
        """
        if user_id != self.user_id:
            raise Forbidden("the rows are outside this transaction's tenant", code="outside_tenant")

    def items(self, table: str, tenant_id: UUID | None) -> Iterator[tuple[Key, Any]]:
        """Every row of the tenant, in no order."""
        if tenant_id == self.tenant_id or tenant_id is None:
            yield from ((key, row) for key, row in self._merged(table, tenant_id) if not self._kept_back(table, row))

    def everyones(self, table: str) -> Iterator[tuple[UUID, Key, Any]]:
        """Every row of every tenant: for the few questions that cross tenants."""
        for tenant_id in {*self._tables.rows[table], *self._changes.get(table, ())}:
            if tenant_id is not None:
                for key, row in self._merged(table, tenant_id):
                    yield tenant_id, key, row

    async def put(self, table: str, tenant_id: UUID | None, key: Key, row: object) -> None:
        """Write a row, waiting for whoever holds it.

        Raises:
            Forbidden: it is another tenant's.
            Unavailable: the wait would never end.
        """
        self.require(tenant_id)
        await self.lock(table, tenant_id, key)
        self._changes[table][tenant_id][key] = row

    async def remove(self, table: str, tenant_id: UUID | None, key: Key, *, everyones: bool = False) -> bool:
        """Remove a row, waiting for whoever holds it; False when there is none.

        Args:
            table: its table.
            tenant_id: its tenant.
            key: its key.
            everyones: it may be another tenant's.
        """
        if not everyones:
            self.require(tenant_id)
        await self.lock(table, tenant_id, key)
        if self._current(table, tenant_id, key) is None:
            return False
        self._changes[table][tenant_id][key] = DELETED
        return True

    async def lock(self, table: str, tenant_id: UUID | None, key: Key) -> None:
        """Hold a row, or the place of one, until the transaction ends.

        Raises:
            Unavailable: the wait would never end, because its holder waits for this transaction.
        """
        place = (table, tenant_id, key)
        holder = self._tables.holders.get(place)
        if holder is self:
            return
        if holder is not None:
            await self._wait(place, holder)
        self._tables.holders[place] = self
        self._held.append(place)

    def outside(self, table: str) -> Rows:
        """Rows of nobody that are written at once, whatever becomes of the transaction."""
        return self._tables.rows[table][None]

    def free(self, table: str, tenant_id: UUID | None, key: Key) -> bool:
        """Whether no other transaction holds the row."""
        return self._tables.holders.get((table, tenant_id, key), self) is self

    def commit(self) -> None:
        """Let others see what was written."""
        for table, tenants in self._changes.items():
            for tenant_id, rows in tenants.items():
                committed = self._tables.rows[table][tenant_id]
                for key, row in rows.items():
                    if row is DELETED:
                        committed.pop(key, None)
                    else:
                        committed[key] = row

    def end(self) -> None:
        """Let go of every row; the first in each queue gets it."""
        for place in self._held:
            del self._tables.holders[place]
            queue = self._tables.queues.get(place, [])
            while queue:
                waiter, turn = queue.pop(0)
                if not turn.done():
                    self._tables.holders[place] = waiter
                    # It has the row from now on, though its task may wake later: who waits for it is in no circle.
                    waiter.waits_for = None
                    turn.set_result(None)
                    break
            if not queue:
                self._tables.queues.pop(place, None)
        self._held.clear()

    async def _wait(self, place: Place, holder: "Transaction") -> None:
        self._refuse_circle(holder)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tables.queues[place].append((self, turn))
        self.waits_for = place
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # It was this one's turn already: the row is held, and goes on with the rest at the end.
                self._held.append(place)
            raise
        finally:
            self.waits_for = None

    def _refuse_circle(self, holder: "Transaction") -> None:
        seen: Transaction | None = holder
        while seen is not None and seen.waits_for is not None:
            seen = self._tables.holders.get(seen.waits_for)
            if seen is self:
                raise Unavailable("the transaction met another one and was undone", code="database_conflict")

    def _current(self, table: str, tenant_id: UUID | None, key: Key) -> Any:
        if table in self._changes:
            changed = self._changes[table][tenant_id].get(key)
            if changed is not None:
                return None if changed is DELETED else changed
        return self._tables.rows[table][tenant_id].get(key)

    def _merged(self, table: str, tenant_id: UUID | None) -> Iterator[tuple[Key, Any]]:
        changes = self._changes[table][tenant_id] if table in self._changes else {}
        for key, row in list(self._tables.rows[table][tenant_id].items()):
            if key not in changes:
                yield key, row
        for key, row in list(changes.items()):
            if row is not DELETED:
                yield key, row
