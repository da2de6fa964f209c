"""Whoever wants to be told when a run has completed: an endpoint that is not always there."""

from collections.abc import Mapping

from shared.domain.addresses import target_of
from shared.domain.errors import Unavailable
from shared.domain.webhooks import ID_HEADER
from shared.ports.egress import Reply
from tests.simulation.processes import Gate

KEY = "the key that secrets of webhooks are derived from"


class Endpoint:
    """Implements `shared.ports.egress.Egress`: one receiver, which keeps all that reaches it."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.received: dict[str, list[tuple[str, Mapping[str, str]]]] = {}
        """Bodies and headers by the id of their delivery."""

    def check(self, url: str) -> None:
        """See the port."""
        target_of(url, loopback=False)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """See the port.

        Raises:
            Unavailable: nobody is there, or its answer is lost.
        """
        gate, faults = self._gate, self._gate.faults
        process = await gate.enter("egress", "post")
        if faults.strikes("webhook_lost", gate.loop.time(), harm=0):
            raise Unavailable("the call failed: nobody listens", code="egress_failed")
        if faults.strikes("webhook_refused", gate.loop.time(), harm=0):
            return Reply(500, b"not now")
        self.received.setdefault(headers[ID_HEADER], []).append((body.decode(), headers))
        if faults.strikes("webhook_answer_lost", gate.loop.time(), harm=0):
            raise Unavailable("the call failed: no answer in time", code="egress_failed")
        gate.point(process, "egress.post.after")
        return Reply(200, b"")
