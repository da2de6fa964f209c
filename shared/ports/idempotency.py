"""Answers of requests that carry an idempotency key."""

from datetime import datetime
from typing import Protocol

from shared.domain.idempotency import Claim, KeptAnswer
from shared.domain.receipts import Subject
from shared.domain.tenants import TenantScope
from shared.domain.users import UserScope


class Idempotency(Protocol):
    """Storage of answers by principal and key, in the transaction that does what they tell of."""

    async def claim(self, claim: Claim) -> KeptAnswer | None:
        """Be the first of a key, or get what the first was answered; None: this is the first.

        What comes back does not say what it is about. Without a lease nobody else can claim the key until the
        transaction ends. With one nobody can until the lease ends, from when the transaction has committed. What is
        older than it is kept for is as if it had never been.

        Raises:
            UnderWay: somebody else has the key at the moment.
            Conflict: the key was used for another request.
        """
        ...

    async def keep(self, claim: Claim, answer: KeptAnswer) -> None:
        """Note the answer of a claim that was granted; it is there when the transaction has committed.

        Raises:
            Conflict: the lease ended and somebody else has the key: the transaction must not commit.
        """
        ...

    async def finish(self, claim: Claim) -> None:
        """Note that everybody has been told of what an answer tells."""
        ...

    async def release(self, claim: Claim) -> None:
        """Give a lease back without an answer; nothing when it is not held any more."""
        ...

    async def erase(self, scope: TenantScope, subject: Subject) -> int:
        """Erase answers that speak of what is deleted; of a tenant, everything. Returns how many."""
        ...

    async def left(self, scope: TenantScope, subject: Subject) -> int:
        """How many answers that speak of it there are."""
        ...

    async def erase_own(self, scope: UserScope) -> int:
        """Remove everything of a user outside all tenants; returns how many."""
        ...

    async def purge(self, now: datetime, limit: int) -> int:
        """Across tenants: remove what is older than it is kept for; returns how many."""
        ...
