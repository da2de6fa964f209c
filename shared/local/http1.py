"""The little HTTP/1.1 that the Runtime API needs: persistent connections, chunks and trailers, one write per answer.

Only processes on this machine that the host itself started talk to it; people's browsers talk to the front, which is
a full server.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

_MAX_HEAD = 1024 * 1024 + 65_536  # the runtime may send an X-Ray cause header of up to 1 MB
_READ_SIZE = 256 * 1024
_REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 403: "Forbidden", 413: "Payload Too Large"}


class Malformed(ValueError):
    """The peer does not speak HTTP/1.1, or sends more than it may."""


class TooLong(ValueError):
    """A body beyond its limit."""


@dataclass(slots=True)
class Request:
    """A request whose body may still be on the way. Header names are lower case."""

    method: str
    target: str
    headers: dict[str, str]
    reader: asyncio.StreamReader
    trailers: dict[str, str] = field(default_factory=dict)
    _consumed: bool = False

    @property
    def keep_alive(self) -> bool:
        """True unless the peer wants the connection closed afterwards."""
        return self.headers.get("connection", "").lower() != "close"

    async def body(self, limit: int) -> bytes:
        """The whole body.

        Raises:
            TooLong: it is longer than `limit` bytes; all of it has been read, so that an answer can be sent.
        """
        parts: list[bytes] = []
        size = 0
        async for part in self.chunks():
            size += len(part)
            if size <= limit:
                parts.append(part)
        if size > limit:
            raise TooLong(f"body of {size} bytes; {limit} are allowed")
        return b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives; afterwards `trailers` is filled."""
        self._consumed = True
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            async for chunk in self._chunked():
                yield chunk
            return
        async for part in self._exactly(_number(self.headers.get("content-length", "0"), 10)):
            yield part

    async def discard(self) -> None:
        """Reads what is left of the body, so that the next request can be read."""
        if not self._consumed:
            async for _ in self.chunks():
                pass

    async def _chunked(self) -> AsyncIterator[bytes]:
        while True:
            line = await self.reader.readuntil(b"\r\n")
            size = _number(line.split(b";", 1)[0].decode("latin-1"), 16)
            if size == 0:
                self.trailers = await _headers(self.reader)
                return
            async for part in self._exactly(size):
                yield part
            await self.reader.readexactly(2)

    async def _exactly(self, size: int) -> AsyncIterator[bytes]:
        while size > 0:
            part = await self.reader.read(min(size, _READ_SIZE))
            if not part:
                raise Malformed("connection closed inside a body")
            size -= len(part)
            yield part


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, complete."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The bytes on the wire, in one piece: two small writes would wait for each other's acknowledgement."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Status')}", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


type Handler = Callable[[Request], Awaitable[Reply]]


async def serve(handler: Handler, listener: socket.socket) -> asyncio.Server:
    """Serves `handler` on a bound socket until the returned server is closed."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _connection(handler, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, Malformed, TooLong):
            pass  # the peer went away or spoke nonsense; either way there is nobody left to answer
        finally:
            writer.close()

    return await asyncio.start_server(connected, sock=listener, limit=_MAX_HEAD)


async def _connection(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            first = await reader.readuntil(b"\r\n")
        except asyncio.IncompleteReadError:
            return
        words = first.decode("latin-1").split()
        if len(words) != 3:
            raise Malformed("request line")
        request = Request(words[0], words[1], await _headers(reader), reader)
        if request.headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        reply = await handler(request)
        await request.discard()
        writer.write(reply.encode())
        await writer.drain()
        if not request.keep_alive:
            return


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    found: dict[str, str] = {}
    while True:
        line = await reader.readuntil(b"\r\n")
        if line == b"\r\n":
            return found
        name, separator, value = line.decode("latin-1").partition(":")
        if not separator:
            raise Malformed("header line without a colon")
        found[name.strip().lower()] = value.strip()


def _number(text: str, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise Malformed(f"not a length: {text!r}") from None
