"""Calls to addresses that somebody else chose."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property

import httpx

from shared.domain.addresses import Target, callable_address, target_of
from shared.domain.errors import Rejected, Unavailable
from shared.ports.egress import BEGINNING, Reply

SECONDS = 10.0
"""For everything together: name, connection, certificate, answer."""

type Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a host, as the system's resolver gives them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class HttpEgress:
    """Implements `shared.ports.egress.Egress`.

    The name is resolved once, every address it has must be one that may be called, and the connection is made to the
    address that was checked: a name that leads elsewhere a moment later leads nowhere. Host header and certificate are
    the name's. No proxy of the environment, no redirect, no cookie.
    """

    def __init__(
        self,
        *,
        loopback: bool = False,
        resolve: Resolve = resolve,
        certificates: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """Args:
        loopback: whether plain http and this machine may be called, for local use.
        resolve: how names become addresses.
        certificates: whom to trust; those the system does when None.
        seconds: after which a call is given up.
        """
        self._loopback = loopback
        self._resolve = resolve
        self._given = certificates
        self._seconds = seconds

    def check(self, url: str) -> None:
        """See the port."""
        target_of(url, loopback=self._loopback)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, most: int = BEGINNING) -> Reply:
        """See the port."""
        return await self._call("POST", url, body, headers, most)

    async def get(self, url: str, headers: Mapping[str, str], *, most: int = BEGINNING) -> Reply:
        """See the port."""
        return await self._call("GET", url, None, headers, most)

    async def _call(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], most: int) -> Reply:
        target = target_of(url, loopback=self._loopback)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._send(method, target, await self._address(target), body, headers, most)
        except TimeoutError as error:
            raise Unavailable(f"no whole answer within {self._seconds:g} seconds", code="egress_timeout") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            # Its kind, not its words: those may tell what is behind an address.
            raise Unavailable(f"the call failed: {type(error).__name__}", code="egress_failed") from error

    async def _address(self, target: Target) -> str:
        addresses = await self._resolve(target.host, target.port)
        if not addresses:
            raise Unavailable("the name has no address", code="egress_failed")
        # One that may not be called spoils them all: a name has no business with both.
        if not all(callable_address(one, loopback=self._loopback) for one in addresses):
            raise Rejected("the name leads to an address that is not a public one", code="forbidden_address")
        return addresses[0]

    async def _send(
        self, method: str, target: Target, address: str, body: bytes | None, headers: Mapping[str, str], most: int
    ) -> Reply:
        host = f"[{target.host}]" if ":" in target.host else target.host
        named = host if target.default_port else f"{host}:{target.port}"
        shown = f"[{address}]" if ":" in address else address
        url = httpx.URL(f"{target.scheme}://{shown}:{target.port}").copy_with(raw_path=target.path.encode("ascii"))
        async with httpx.AsyncClient(verify=self._certificates, trust_env=False, timeout=self._seconds) as client:
            request = client.build_request(
                method,
                url,
                content=body,
                headers={**headers, "Host": named, "Accept-Encoding": "identity", "Connection": "close"},
                extensions={"sni_hostname": target.host},
            )
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                return Reply(response.status_code, await _beginning(response, most))
            finally:
                await response.aclose()

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        return self._given or ssl.create_default_context()


async def _beginning(response: httpx.Response, most: int) -> bytes:
    read = b""
    async for part in response.aiter_raw():
        read += part
        if len(read) >= most:
            break
    return read[:most]
