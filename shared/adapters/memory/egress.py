"""A world outside that answers as it is told."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.addresses import callable_address, target_of
from shared.domain.errors import Rejected, Unavailable
from shared.ports.egress import BEGINNING, Reply

SOMEWHERE = ("93.184.215.14",)


@dataclass(frozen=True, slots=True)
class Posted:
    """What arrived."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass
class MemoryEgress:
    """Implements `shared.ports.egress.Egress`."""

    loopback: bool = False
    names: dict[str, Sequence[str]] = field(default_factory=dict)
    """Addresses by host; a public one for those that are not here."""
    answers: deque[Reply | Exception] = field(default_factory=deque)
    """What the next calls meet; 200 when there is nothing left."""
    posts: list[Posted] = field(default_factory=list)
    gets: list[Posted] = field(default_factory=list)
    unreachable: set[str] = field(default_factory=set)
    """Hosts where nobody listens."""

    def check(self, url: str) -> None:
        """See the port."""
        target_of(url, loopback=self.loopback)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, most: int = BEGINNING) -> Reply:
        """See the port."""
        return self._answered(Posted(url, body, dict(headers)), self.posts, most)

    async def get(self, url: str, headers: Mapping[str, str], *, most: int = BEGINNING) -> Reply:
        """See the port."""
        return self._answered(Posted(url, b"", dict(headers)), self.gets, most)

    def _answered(self, call: Posted, kept: list[Posted], most: int) -> Reply:
        target = target_of(call.url, loopback=self.loopback)
        addresses = self.names.get(target.host, SOMEWHERE)
        if not all(callable_address(one, loopback=self.loopback) for one in addresses):
            raise Rejected("the name leads to an address that is not a public one", code="forbidden_address")
        if target.host in self.unreachable:
            raise Unavailable("the call failed: nobody listens", code="egress_failed")
        kept.append(call)
        answer = self.answers.popleft() if self.answers else Reply(200, b"")
        if isinstance(answer, Exception):
            raise answer
        return Reply(answer.status, answer.body[:most])
