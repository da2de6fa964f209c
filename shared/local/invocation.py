"""One invocation on its way through the host: the event in, the answer out, whole or in pieces."""

import asyncio
import json
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from shared.local.errors import InvokeFailed, StreamBroken

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB each way, with a little room for the
# envelope.
MAX_PAYLOAD = 6_291_556
MAX_STREAM = 200 * 1024 * 1024
_PENDING_PIECES = 64


@dataclass(frozen=True, slots=True)
class Result:
    """What a function answered.

    Attributes:
        payload: JSON as the runtime sent it.
        error: Lambda's word for a failed invocation, for example `Runtime.ExitError`; empty on success.
        duration_ms: from handing over the event to the answer.
        waited_ms: from the call to handing over the event: queueing and starting a process.
        cold: a process was started for this call.
    """

    payload: bytes
    error: str = ""
    duration_ms: float = 0.0
    waited_ms: float = 0.0
    cold: bool = False

    def json(self) -> object:
        """The payload as an object.

        Raises:
            InvokeFailed: the invocation failed; its message is in the text.
        """
        if self.error:
            raise InvokeFailed(f"{self.error}: {self.payload.decode(errors='replace')}")
        return json.loads(self.payload) if self.payload else None


class Invocation:
    """An event that waits for a process, or is with one.

    Attributes:
        payload: the event as JSON.
        streaming: the caller wants the answer in pieces as it comes.
        request_id: UUID, the same in the host's log lines and in the function's context.
        content_type: of the answer, as the runtime declared it.
        cold: a process was started for it.
    """

    def __init__(self, payload: bytes, *, streaming: bool = False, request_id: str | None = None) -> None:
        self.payload = payload
        self.streaming = streaming
        self.request_id = request_id or str(uuid.uuid4())
        self.content_type = "application/json"
        self.cold = False
        self._received_at = time.perf_counter()
        self._started_at = 0.0
        self._outcome: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._pieces: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._abandoned = False

    @property
    def settled(self) -> bool:
        """True once the outcome is known."""
        return self._outcome.done()

    def start(self) -> None:
        """Marks the moment a process gets the event."""
        self._started_at = time.perf_counter()

    def finish(self, payload: bytes, error: str = "") -> Result:
        """Settles the outcome and returns it; a second word about the same invocation changes nothing."""
        if not self._outcome.done():
            now = time.perf_counter()
            started = self._started_at or now
            times = ((now - started) * 1000, (started - self._received_at) * 1000)
            self._outcome.set_result(Result(payload, error, *times, self.cold))
            self._changed.set()
        return self._outcome.result()

    async def outcome(self) -> Result:
        """Waits for the end."""
        return await asyncio.shield(self._outcome)

    async def begun(self) -> None:
        """Waits for the first piece, or for the end if there is none."""
        while not self._pieces and not self._outcome.done():
            self._changed.clear()
            await self._changed.wait()

    async def feed(self, piece: bytes) -> None:
        """Passes a piece of a streamed answer on, no faster than it is read."""
        if self._abandoned:
            return
        self._pieces.append(piece)
        self._changed.set()
        while len(self._pieces) >= _PENDING_PIECES and not self._abandoned:
            self._room.clear()
            await self._room.wait()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The streamed answer as it comes.

        Raises:
            StreamBroken: the function failed before the end.
        """
        while True:
            while self._pieces:
                self._room.set()
                yield self._pieces.popleft()
            if self._outcome.done():
                break
            self._changed.clear()
            await self._changed.wait()
        result = self._outcome.result()
        if result.error:
            raise StreamBroken(f"{result.error}: {result.payload.decode(errors='replace')}")

    def abandon(self) -> None:
        """Nobody reads any more: what still comes is thrown away, and the function may finish, as on Lambda."""
        self._abandoned = True
        self._pieces.clear()
        self._room.set()


def error_payload(kind: str, message: str) -> bytes:
    """The JSON Lambda answers with when the platform, not the function, reports an error."""
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
