"""Limits shared by every function at once."""

from datetime import datetime
from typing import Protocol


class Limits(Protocol):
    """Token buckets by key, in a store all workers share. Keys name a provider's model, never a tenant's text.

    A bucket may owe: what is set aside before it has flowed in is waited for in the order of asking, so every asker is
    told a moment of its own and none comes back in vain.
    """

    async def reserve(
        self, key: str, cost: float, *, capacity: float, per_second: float, now: datetime, within: float
    ) -> float:
        """Set `cost` aside; returns the seconds until it may be spent, 0 for at once.

        More than `within` means that nothing was set aside: ask again later.
        """
        ...

    async def drain(self, key: str, until: datetime, *, per_second: float) -> None:
        """Nothing more until then: the provider said so.

        What was promised for a moment before then is void; what was promised for later still holds.
        """
        ...

    async def silence(self, key: str, now: datetime) -> float:
        """Seconds until the silence that `drain` began is over, 0 when there is none."""
        ...
