"""Whose turn it is to call a model provider: one limit for all workers, shared fairly by the tenants."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from shared.domain.errors import Delayed
from shared.ports.ports import Ports

HORIZON = 2.0
"""Seconds ahead a tenant may have requests promised. So whoever comes anew waits behind little of anyone else's."""
LONGEST = 600.0
"""Seconds a promise may lie ahead: a queue cannot hold a message back for longer than fifteen minutes."""
LATE = 61.0
"""The limit of a minute is spread over so many seconds: messages are held back by whole seconds, so what was promised
to one minute may come in the first second of the next.
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """How many requests may be made, and after how many seconds. With none to make, asking again is due then."""

    requests: int
    seconds: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Whose:
    """For whom requests are made: the tenant shares with others, and no two documents come at the same moment."""

    tenant: UUID
    document: UUID


class Turns:
    """What a provider allows this deployment, by the minute."""

    def __init__(self, requests_per_minute: int = 0) -> None:
        """Nothing is remembered here: promises are in the database, where all workers see them.

        Args:
            requests_per_minute: of all workers together; 0 for no limit of ours, though a provider that asks for
                silence is still heeded.
        """
        self._limit = requests_per_minute
        # One second's worth may be spent at once. With what flows in during a minute that is no more than the limit,
        # wherever the minute is taken to begin.
        self._capacity = max(1, requests_per_minute // 60)
        self._per_second = (requests_per_minute - self._capacity + 1) / LATE

    @property
    def limited(self) -> bool:
        """Whether there is a limit of ours."""
        return self._limit > 0

    async def granted(self, ports: Ports, model: str, granted: int) -> Turn | None:
        """The turn a message comes back with; None when it has none, or a provider's silence has voided it."""
        if not granted or await ports.limits.silence(_key(model), ports.clock.now()):
            return None
        return Turn(granted)

    async def ask(self, ports: Ports, model: str, requests: int, whose: Whose) -> Turn:
        """When some of the requests may be made: as many as a second's worth at a time.

        Args:
            ports: in a transaction; what is promised is set aside with its commit.
            model: whose provider has the limit.
            requests: wanted in all, at least 1.
            whose: they are.
        """
        now = ports.clock.now()
        spread = (whose.document.int ^ int(now.timestamp() * 1e6)) % 1009 / 1009
        if not self._limit:
            silence = await ports.limits.silence(_key(model), now)
            if not silence:
                return Turn(requests)
            return Turn(0, silence + spread * min(5.0, silence), "the provider asked for a pause")
        own = f"{_key(model)}/{whose.tenant}"
        ahead = await ports.limits.silence(own, now)
        busy = f"the limit of {self._limit} embedding requests a minute is used up"
        if ahead > HORIZON:
            return Turn(0, ahead - HORIZON + spread * 2 * HORIZON, busy)
        slice = min(requests, self._capacity)
        seconds = await ports.limits.reserve(
            _key(model), slice, capacity=self._capacity, per_second=self._per_second, now=now, within=LONGEST
        )
        if seconds > LONGEST:
            return Turn(0, LONGEST * (1 + spread) / 2, busy)
        await ports.limits.drain(own, now + timedelta(seconds=seconds), per_second=0)
        return Turn(slice, seconds, busy)

    async def refused(self, ports: Ports, model: str, pause: Delayed, requests: int, whose: Whose) -> Turn:
        """The provider itself asked to wait: every worker with this model waits too. When this one goes on."""
        until = ports.clock.now() + timedelta(seconds=pause.seconds)
        await ports.limits.drain(_key(model), until, per_second=self._per_second)
        if not self._limit:
            return Turn(0, pause.seconds, pause.detail)
        turn = await self.ask(ports, model, requests, whose)
        return Turn(turn.requests, max(turn.seconds, pause.seconds), pause.detail)


def _key(model: str) -> str:
    return f"embedder/{model}"
