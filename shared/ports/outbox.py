"""Messages that leave with the database change that causes them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.events import Outgoing
from shared.domain.tenants import TenantScope


class Outbox(Protocol):
    """Storage of messages not yet sent.

    The door sends what its transaction added, right after the commit; the sweep sends what was left.
    """

    async def add(self, scope: TenantScope, message: Outgoing, now: datetime) -> None:
        """Keep the message with the transaction."""
        ...

    def added(self) -> Sequence[Outgoing]:
        """What this transaction added, for the door to send after the commit."""
        ...

    async def left_behind(self, before: datetime, limit: int) -> Sequence[Outgoing]:
        """Across tenants: messages added before `before` and still unsent, locked.

        In turns of the tenants, oldest first; rows locked by others are passed over.
        """
        ...

    async def sent(self, ids: Sequence[UUID]) -> None:
        """Forget messages that were sent, whichever tenant's."""
        ...
