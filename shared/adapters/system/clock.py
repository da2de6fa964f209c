"""Time and chance as the machine gives them."""

import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

from shared.domain.ids import time_ordered_id
from shared.ports.clock import Clock

RANDOM_BITS = 74
SECRET_BYTES = 32


class SystemClock:
    """Implements `shared.ports.clock.Clock`."""

    def now(self) -> datetime:
        """See the port."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See the port."""
        return time.perf_counter()


class SystemIds:
    """Implements `shared.ports.clock.Ids` from the operating system's randomness, fresh in restored snapshots too."""

    def __init__(self, clock: Clock) -> None:
        """Begin.

        Args:
            clock: gives the time part of identifiers.
        """
        self._clock = clock

    def new(self) -> UUID:
        """See the port."""
        return time_ordered_id(self._clock.now(), secrets.randbits(RANDOM_BITS))

    def secret(self) -> str:
        """See the port."""
        return secrets.token_urlsafe(SECRET_BYTES)
