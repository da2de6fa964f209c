"""Several processes before one database, in one event loop."""

from itertools import cycle
from typing import Any

from shared.adapters.postgres.line import Timeouts
from shared.adapters.postgres.store import PgStore
from shared.domain.tenants import TenantScope

PROCESSES = 10


class Processes:
    """The database as seen by several processes: each transaction takes the connection of the next of them."""

    def __init__(self, url: str) -> None:
        # So many at once on a small machine may take long; what is tested is what they do.
        patient = Timeouts(lock=60_000, turn=120_000)
        self.stores = [PgStore(url, patient) for _ in range(PROCESSES)]
        self._turns = cycle(self.stores)

    def transaction(self, scope: TenantScope | None) -> Any:
        return next(self._turns).transaction(scope)

    async def close(self) -> None:
        for store in self.stores:
            await store.close()
