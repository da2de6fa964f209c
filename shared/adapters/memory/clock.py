"""Time and chance that tests decide."""

import base64
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.domain.ids import time_ordered_id
from shared.ports.clock import Clock

START = datetime(2026, 1, 1, tzinfo=UTC)


class ManualClock:
    """Implements `shared.ports.clock.Clock`: stands still until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        """Stand at `start`, timezone-aware."""
        self._start = start
        self._now = start

    def now(self) -> datetime:
        """See the port."""
        return self._now

    def monotonic(self) -> float:
        """See the port."""
        return (self._now - self._start).total_seconds()

    def advance(self, by: timedelta | float) -> datetime:
        """Move forward by a duration, or by seconds; returns the new time.

        Raises:
            ValueError: backwards.
        """
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if step < timedelta():
            raise ValueError("time does not go back")
        self._now += step
        return self._now


class SequenceIds:
    """Implements `shared.ports.clock.Ids`: the same seed gives the same identifiers, in order."""

    def __init__(self, seed: int = 0, clock: Clock | None = None) -> None:
        """Begin a sequence.

        Args:
            seed: tells two sequences apart.
            clock: gives the time part; a standing one when None.
        """
        self._random = random.Random(seed)
        self._clock = clock or ManualClock()
        self._made = 0

    def new(self) -> UUID:
        """See the port.

        A counter in the random part keeps identifiers of one millisecond in the order they were made.
        """
        self._made += 1
        return time_ordered_id(self._clock.now(), self._made << 42 | self._random.getrandbits(42))

    def secret(self) -> str:
        """See the port."""
        return base64.urlsafe_b64encode(self._random.randbytes(32)).rstrip(b"=").decode()
