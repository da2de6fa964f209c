"""Answers of requests that carry an idempotency key."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.adapters.memory.rows_transaction import Key, Transaction
from shared.domain.errors import Conflict, Forbidden
from shared.domain.idempotency import RETRY_SECONDS, Claim, KeptAnswer, lease_lost, reused, under_way
from shared.domain.receipts import Subject, SubjectKind
from shared.domain.tenants import TenantScope
from shared.domain.users import UserScope

TABLE, LOCKS = "kept_answers", "idempotency_locks"


@dataclass(frozen=True, slots=True)
class Row:
    """One key: leased, or answered."""

    claim: Claim
    answer: KeptAnswer | None


class MemoryIdempotency:
    """Storage of answers by principal and key."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def claim(self, claim: Claim) -> KeptAnswer | None:
        """Be the first of a key, or get what the first was answered; None: this is the first."""
        place = self._place(claim)
        if not self._transaction.free(LOCKS, *place):
            raise under_way(RETRY_SECONDS)
        await self._transaction.lock(LOCKS, *place)
        row: Row | None = self._transaction.get(TABLE, *place)
        if row is not None and over(row, claim.at):
            await self._transaction.remove(TABLE, *place)
            row = None
        if row is None:
            if claim.lease is not None:
                await self._transaction.put(TABLE, *place, Row(claim, None))
            return None
        if row.claim.fingerprint != claim.fingerprint:
            raise reused()
        if row.answer is None:
            left = (row.claim.until or claim.at) - claim.at
            raise under_way(left.total_seconds())
        return replace(row.answer, about=frozenset())

    async def keep(self, claim: Claim, answer: KeptAnswer) -> None:
        """Note the answer of a claim that was granted."""
        place = self._place(claim)
        await self._transaction.lock(TABLE, *place)
        row: Row | None = self._transaction.get(TABLE, *place)
        held = None if row is None or row.answer is not None else row.claim.lease
        if claim.lease is None and row is not None:
            raise Conflict("something with the same key exists already", code="already_exists")
        if claim.lease is not None and held != claim.lease:
            raise lease_lost()
        await self._transaction.put(TABLE, *place, Row(claim, answer))

    async def finish(self, claim: Claim) -> None:
        """Note that everybody has been told of what an answer tells."""
        place = self._place(claim)
        row: Row | None = self._transaction.get(TABLE, *place)
        if row is not None and row.answer is not None:
            await self._transaction.put(TABLE, *place, replace(row, answer=replace(row.answer, finished=True)))

    async def release(self, claim: Claim) -> None:
        """Give a lease back without an answer."""
        place = self._place(claim)
        row: Row | None = self._transaction.get(TABLE, *place)
        if row is not None and row.answer is None and row.claim.lease == claim.lease:
            await self._transaction.remove(TABLE, *place)

    async def erase(self, scope: TenantScope, subject: Subject) -> int:
        """Erase answers that speak of what is deleted; of a tenant, everything. Returns how many."""
        rows = list(self._speaking(scope, subject))
        for key, row in rows:
            if subject.kind is SubjectKind.TENANT:
                await self._transaction.remove(TABLE, scope.tenant_id, key)
            elif row.answer is not None:
                bare = replace(row.answer, headers={}, body=None, about=frozenset())
                await self._transaction.put(TABLE, scope.tenant_id, key, replace(row, answer=bare))
        return len(rows)

    async def left(self, scope: TenantScope, subject: Subject) -> int:
        """How many answers that speak of it there are."""
        return len(list(self._speaking(scope, subject)))

    async def erase_own(self, scope: UserScope) -> int:
        """Remove everything of a user outside all tenants; returns how many."""
        self._transaction.require_user(scope.user_id)
        mine = [key for key, _ in self._transaction.items(TABLE, None) if key[0] == str(scope.principal)]
        for key in mine:
            await self._transaction.remove(TABLE, None, key)
        return len(mine)

    async def purge(self, now: datetime, limit: int) -> int:
        """Across tenants: remove what is older than it is kept for; returns how many."""
        everybody: list[tuple[UUID | None, Key, Row]] = list(self._transaction.everyones(TABLE))
        everybody += [(None, key, row) for key, row in self._transaction.items(TABLE, None)]
        old = [(tenant_id, key) for tenant_id, key, row in everybody if row.claim.expires_at <= now][:limit]
        for tenant_id, key in old:
            await self._transaction.remove(TABLE, tenant_id, key, everyones=True)
        return len(old)

    def _place(self, claim: Claim) -> tuple[UUID | None, Key]:
        """Where it is kept.

        Raises:
            Forbidden: it is another tenant's, or another user's.
        """
        self._transaction.require(claim.tenant_id)
        if claim.tenant_id is None and claim.principal != f"user:{self._transaction.user_id}":
            raise Forbidden("the rows are outside this transaction's tenant", code="outside_tenant")
        return claim.tenant_id, (claim.principal, claim.key_hash)

    def _speaking(self, scope: TenantScope, subject: Subject) -> Iterator[tuple[Key, Row]]:
        for key, row in list(self._transaction.items(TABLE, scope.tenant_id)):
            whole = subject.kind is SubjectKind.TENANT
            of_project = row.answer is not None and row.answer.body is not None and row.claim.project_id == subject.id
            if whole or of_project or (row.answer is not None and subject.id in row.answer.about):
                yield key, row


def over(row: Row, now: datetime) -> bool:
    """Whether a row is as if it had never been."""
    return row.claim.expires_at <= now or (row.answer is None and (row.claim.until or now) <= now)
