"""How often callers ask, counted once for all functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.rates import Limit, Part, Standing


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as far as it is known before anybody is asked."""

    kind: str
    """The sort of request; each is counted apart."""
    address: str
    """Where the request comes from."""
    key_hash: str = ""
    """Of an API key: its principal and tenant are looked up."""
    user_id: UUID | None = None
    """A signed-in user, whose token was verified."""
    tenant_id: UUID | None = None
    """The organisation that the user names; counted only if it is one of theirs. Without it: their only one."""


type Told = Callable[[Sequence[Standing]], None]


class Rates(Protocol):
    """Requests by who made them, in a store all functions share."""

    async def along(self, asker: Asker, limits: Sequence[tuple[Part, Limit]], now: datetime, told: Told) -> None:
        """Count a request, whatever becomes of this transaction: at once, or with its first statement.

        It is counted for every part, or, if one of them is at its limit, for none. Parts that are not known (an
        unknown key has no tenant) are left out.

        Args:
            asker: who.
            limits: what is counted, and how many are granted.
            now: the time.
            told: is given the standings as soon as they are known; what it raises ends the transaction there.
        """
        ...

    async def purge(self, now: datetime) -> int:
        """Forget counters of which nothing is within a window any more; returns how many."""
        ...
