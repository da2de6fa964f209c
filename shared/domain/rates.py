"""How often somebody may ask: so many requests in so many seconds, seen through a window that slides.

The window is two counters: what was counted in the present stretch of time, and in the one before, of which the part
that is still within reach counts. Refused requests are not counted.

Far from every limit, a process that is asked by the same caller again and again counts a few requests ahead and lets
them pass without asking the store: a `Lease`. What is not used of it stays counted, so that no limit is ever exceeded;
close to one, every request is counted by itself.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Part(StrEnum):
    """Who is counted."""

    ADDRESS = "address"
    PRINCIPAL = "principal"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in any stretch of so many seconds.

    Raises:
        ValueError: one of them is not positive.
    """

    requests: int
    seconds: int

    def __post_init__(self) -> None:
        if self.requests < 1 or self.seconds < 1:
            raise ValueError("a limit allows something, in some time")

    def opened(self, now: datetime) -> datetime:
        """When the present stretch began; the same for everybody."""
        seconds = now.timestamp() // self.seconds * self.seconds
        return datetime.fromtimestamp(seconds, now.tzinfo)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted for somebody, as a store keeps it."""

    opened: datetime
    count: int = 0
    previous: int = 0

    def rolled(self, limit: Limit, now: datetime) -> "Counted":
        """As of now. A clock that lags behind the counter sees what the counter has."""
        opened = max(self.opened, limit.opened(now))
        if opened == self.opened:
            return self
        before = opened - timedelta(seconds=limit.seconds)
        return Counted(opened, 0, self.count if self.opened == before else 0)

    def less(self, count: int) -> "Counted":
        """As before so many of the requests that it counts now."""
        return Counted(self.opened, self.count - count, self.previous)

    def weight(self, limit: Limit, now: datetime) -> float:
        """How many requests are within the window."""
        passed = max(0.0, (now - self.opened).total_seconds())
        return self.count + self.previous * max(0.0, 1 - passed / limit.seconds)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody is with a limit, after their request."""

    part: Part
    limit: Limit
    counted: Counted
    """The present request included when it was granted."""
    granted: bool
    """Whether all limits of the request let it pass; it is counted by all or by none."""

    def remaining(self, now: datetime) -> int:
        """How many more requests would be granted at once."""
        return max(0, math.floor(self.limit.requests - self.counted.weight(self.limit, now) + 1e-9))

    def wait(self, now: datetime) -> float:
        """Seconds until one more is granted, 0 for at once."""
        room, limit, counted = self.limit.requests - 1, self.limit, self.counted
        if counted.weight(limit, now) <= room:
            return 0.0
        passed = max(0.0, (now - counted.opened).total_seconds())
        if counted.count <= room:
            # What is left of the stretch before leaves the window bit by bit.
            return max(0.0, limit.seconds * (1 - (room - counted.count) / counted.previous) - passed)
        return max(0.0, limit.seconds - passed) + limit.seconds * (1 - room / counted.count)


AHEAD = 16
"""At most so many requests are counted at once."""
SHARE = 64
"""And at most this part of what is left of the tightest limit, so that many processes together hold little of it."""
LASTS = timedelta(seconds=10)
"""After which a lease ends: whoever asks less often than that gets few at once."""


class Lease:
    """Requests of one caller that were counted together."""

    __slots__ = ("_since", "_standings", "_until", "taken", "used")

    def __init__(self, standings: Sequence[Standing], taken: int, since: datetime, used: int = 1) -> None:
        """Args:
        standings: after all of them.
        taken: how many; 0: the request was refused.
        since: when they were counted.
        used: how many have come, the one that it was taken for included.
        """
        self.taken, self.used = taken, used
        self._standings, self._since = standings, since
        # When a stretch that they were counted in has ended, they count for another one no more.
        ends = [one.counted.opened + timedelta(seconds=one.limit.seconds) for one in standings]
        self._until = min([since + LASTS, *ends])

    def lasts(self, now: datetime) -> bool:
        """Whether it is of this moment."""
        return self._since <= now < self._until

    def use(self, now: datetime) -> Sequence[Standing]:
        """Where the caller is after a further request; nothing when another has to be counted."""
        if self.used >= self.taken or not self.lasts(now):
            return ()
        self.used += 1
        return self.standing()

    def standing(self) -> Sequence[Standing]:
        """Where the caller is, without those that have not come yet."""
        ahead = self.taken - self.used
        if ahead < 1:
            return self._standings
        return [Standing(one.part, one.limit, one.counted.less(ahead), one.granted) for one in self._standings]

    def following(self, now: datetime) -> int:
        """How many to count at once after this one: twice as many, if it was used up in time."""
        if self.used < self.taken or not self.lasts(now):
            return 1
        return max(1, min(2 * self.taken, AHEAD, min(one.remaining(now) for one in self._standings) // SHARE))
