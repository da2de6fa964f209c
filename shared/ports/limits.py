"""Limits shared by every function at once."""

from datetime import datetime
from typing import Protocol


class Limits(Protocol):
    """Token buckets by key, in a store all workers share. Keys name a provider credential, never a tenant's text."""

    async def take(self, key: str, cost: float, *, capacity: float, per_second: float, now: datetime) -> float:
        """Take `cost` from the bucket.

        Returns 0 when it was there, else the seconds until it will be (and takes nothing).
        """
        ...

    async def drain(self, key: str, until: datetime) -> None:
        """Nothing more until then: the provider said so."""
        ...
