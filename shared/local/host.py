"""The function host: Lambda's side of the fence, for all functions of a template, in one event loop.

Use it in the process, without anything else of the local cloud (tests, benchmarks), or let MiniStack post events to
`url`/invoke/<name>.
"""

import asyncio
import json
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.local import http1
from shared.local.addresses import LOOPBACK, bind, port_of
from shared.local.errors import InvokeFailed, LocalError, PayloadTooLarge, Throttled
from shared.local.functions import FunctionSpec, FunctionStats
from shared.local.invocation import MAX_PAYLOAD, Invocation, Result, error_payload
from shared.local.pool import Pool
from shared.local.streaming import StreamedResponse, respond

IDLE_SECONDS = 120.0
_WATCH_SECONDS = 0.2
_JSON = {"Content-Type": "application/json"}


class FunctionHost:
    """Runs functions in processes of their own, as Lambda does. An async context manager.

    Args:
        functions: what to run; `replace` changes it later.
        logs: folder for one log file per function; None for a temporary one.
        scratch: folder for the processes' temporary folders; None for a temporary one.
        idle_seconds: after which an idle process is let go.
        queue_seconds: how long an event may wait for a busy function; None for 30 s or the function's timeout, if
            longer.
        listener: a bound socket for the HTTP side; None for any free port.
    """

    def __init__(
        self,
        functions: Sequence[FunctionSpec],
        *,
        logs: Path | None = None,
        scratch: Path | None = None,
        idle_seconds: float = IDLE_SECONDS,
        queue_seconds: float | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="lambent-host-")
        self._logs = logs or Path(self._temporary.name) / "logs"
        self._scratch = scratch or Path(self._temporary.name)
        self._idle_seconds = idle_seconds
        self._queue_seconds = queue_seconds
        self._listener = listener or bind(0)
        self.url = f"http://{LOOPBACK}:{port_of(self._listener)}"
        self._pools = {spec.name: self._pool(spec) for spec in functions}
        self._opened = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._server = await http1.serve(self._handle, self._listener)
        if self._pools:
            self._opened.set()
        self._watcher = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))
        if self._server is not None:
            self._server.close()
        self._temporary.cleanup()

    async def replace(self, functions: Sequence[FunctionSpec]) -> None:
        """Runs these functions instead of the former ones; processes of functions that did not change stay."""
        kept = {spec.name: self._pools[spec.name] for spec in functions if self._is_same(spec)}
        gone = [pool for name, pool in self._pools.items() if name not in kept]
        self._pools = {spec.name: kept.get(spec.name) or self._pool(spec) for spec in functions}
        await asyncio.gather(*(pool.close() for pool in gone))

    def open(self) -> None:
        """Lets events in that come by HTTP.

        A host made without functions keeps them waiting until then, so that messages which MiniStack delivers at once
        after a restart are late instead of lost.
        """
        self._opened.set()

    async def invoke(self, name: str, event: object, *, request_id: str | None = None) -> Result:
        """Runs function `name` with `event` (what JSON can hold, or JSON as bytes) and returns its answer, good or bad.

        Raises:
            InvokeFailed: there is no such function.
            PayloadTooLarge: the event is beyond 6 MB.
            Throttled: every process stayed busy.
        """
        pool = self._find(name)
        return await pool.invoke(Invocation(_encode(event), request_id=request_id))

    @asynccontextmanager
    async def stream(self, name: str, event: object) -> AsyncIterator[StreamedResponse]:
        """Runs a function that streams its HTTP answer; leaving the block early lets the function finish unheard.

        Raises:
            InvokeFailed: there is no such function, or it failed before its first piece.
            PayloadTooLarge: the event is beyond 6 MB.
            Throttled: every process stayed busy.
        """
        pool = self._find(name)
        invocation = Invocation(_encode(event), streaming=True)
        await pool.start(invocation)
        counted = asyncio.ensure_future(invocation.outcome())
        counted.add_done_callback(lambda done: None if done.cancelled() else pool.count(done.result()))
        try:
            yield await respond(invocation)
        finally:
            invocation.abandon()

    def kill_all(self, name: str) -> int:
        """Kills every process of a function at once, as a crash would; returns how many there were."""
        return self._find(name).kill_all()

    def recycle(self) -> None:
        """Lets all processes go when they are idle, so that changed code is seen."""
        for pool in self._pools.values():
            pool.recycle()

    def stats(self) -> tuple[FunctionStats, ...]:
        """What each function has done, in the order of the template."""
        return tuple(pool.stats() for pool in self._pools.values())

    def _pool(self, spec: FunctionSpec) -> Pool:
        return Pool(spec, self._logs, self._scratch, self._queue_seconds)

    def _is_same(self, spec: FunctionSpec) -> bool:
        return spec.name in self._pools and self._pools[spec.name].spec == spec

    def _find(self, name: str) -> Pool:
        pool = self._pools.get(name)
        if pool is None:
            raise InvokeFailed(f"there is no function {name}", f"Functions: {', '.join(sorted(self._pools))}.")
        return pool

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for pool in self._pools.values():
                pool.watch(self._idle_seconds)

    async def _handle(self, request: http1.Request) -> http1.Reply:
        """POST /invoke/<name> runs a function, GET /stats tells the figures."""
        if "origin" in request.headers or "sec-fetch-site" in request.headers:
            return http1.Reply(403, error_payload("Forbidden", "web pages have no business here"), _JSON)
        match (request.method, request.target.strip("/").split("/")):
            case ("POST", ["invoke", name]):
                return await self._invoke_by_http(request, name)
            case ("GET", ["stats"]):
                return http1.Reply(200, json.dumps([asdict(one) for one in self.stats()]).encode(), _JSON)
        return http1.Reply(404, error_payload("NotFound", request.target), _JSON)

    async def _invoke_by_http(self, request: http1.Request, name: str) -> http1.Reply:
        """Answers 200 with the answer, 500 with the error, 429 when all is busy: what MiniStack understands."""
        try:
            body = await request.body(MAX_PAYLOAD)
            await self._opened.wait()
            result = await self.invoke(name, body, request_id=request.headers.get("x-amzn-lambda-request-id"))
        except http1.TooLong as error:
            return http1.Reply(413, error_payload("RequestTooLarge", str(error)), _JSON)
        except (Throttled, PayloadTooLarge, InvokeFailed) as error:
            return http1.Reply(_STATUS[type(error)], error_payload(type(error).__name__, error.detail), _JSON)
        if result.error:
            return http1.Reply(500, result.payload, {**_JSON, "X-Amz-Function-Error": "Unhandled"})
        return http1.Reply(200, result.payload, _JSON)


_STATUS: dict[type[LocalError], int] = {Throttled: 429, PayloadTooLarge: 413, InvokeFailed: 404}


def _encode(event: object) -> bytes:
    payload = event if isinstance(event, bytes) else json.dumps(event).encode()
    if len(payload) > MAX_PAYLOAD:
        raise PayloadTooLarge(f"the event has {len(payload)} bytes; Lambda takes {MAX_PAYLOAD}")
    return payload
