"""A Lambda Runtime API in a thread, as far as a runtime client needs it. It keeps what it is sent as it came."""

import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from typing import Any


@dataclass(slots=True)
class Received:
    """One request that the runtime made."""

    method: str
    path: str
    headers: Mapping[str, str]
    chunks: list[bytes] = field(default_factory=list)
    """As they came, one entry a chunk; a plain body is one."""
    trailers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """All of it."""
        return b"".join(self.chunks)

    @property
    def prelude(self) -> dict[str, Any]:
        """Status and headers, in front of the eight NUL bytes."""
        read: dict[str, Any] = json.loads(self.body.partition(b"\x00" * 8)[0])
        return read

    @property
    def streamed(self) -> bytes:
        """What follows the prelude."""
        return self.body.partition(b"\x00" * 8)[2]


class RuntimeApi(socketserver.ThreadingTCPServer):
    """Hands out invocations in turn and records what comes back."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.events: Queue[dict[str, Any]] = Queue()
        self.received: list[Received] = []
        self.arrived = threading.Event()
        """Set after each chunk of a response, for tests that look while it is being made."""

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def responses(self) -> list[Received]:
        """What was posted."""
        return [one for one in self.received if one.method == "POST"]


class _Connection(socketserver.StreamRequestHandler):
    server: RuntimeApi

    def handle(self) -> None:
        method, path, _ = self.rfile.readline().decode().split(" ", 2)
        request = Received(method, path, self._fields())
        self.server.received.append(request)
        if request.headers.get("transfer-encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                request.chunks.append(self.rfile.read(size))
                assert self.rfile.readline() == b"\r\n"
                self.server.arrived.set()
            request.trailers = self._fields()
        elif length := int(request.headers.get("content-length", "0")):
            request.chunks.append(self.rfile.read(length))
        if path.endswith("/invocation/next"):
            self._answer(json.dumps(self.server.events.get()).encode())
        else:
            self._answer(b'{"status":"OK"}', "202 Accepted")

    def _fields(self) -> dict[str, str]:
        found = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            found[name.lower()] = value.strip()
        return found

    def _answer(self, body: bytes, status: str = "200 OK") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        head += "Lambda-Runtime-Aws-Request-Id: 8a6e0e4a-stream\r\nLambda-Runtime-Deadline-Ms: 4102444800000\r\n\r\n"
        self.wfile.write(head.encode() + body)


@contextmanager
def runtime_api() -> Iterator[RuntimeApi]:
    """Serve until the block ends."""
    with RuntimeApi() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
