"""Which addresses this system may call on somebody's behalf (SSRF): public ones, and nothing of our own network.

A URL is taken apart once, here; what connects uses the parts and never parses again, so no two parsers can disagree.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.domain.errors import Rejected

MAX_URL = 2000
PORTS = frozenset({443})
"""Of https, on other people's machines."""

_TEXT = re.compile(r"[\x21-\x7e]+")
_NAME = re.compile(r"(?=.{1,253}$)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
"""A last label of this form makes resolvers read the whole name as an address, in one of many spellings."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_REFUSED_6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2002::/16", "3fff::/20")))
"""Protocols (Teredo among them) and 6to4, which carry an IPv4 address of the sender's choice; documentation."""
_REFUSED_4 = tuple(map(ipaddress.IPv4Network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24")))
"""Public by their number, and not by what is there: a cloud's own services, protocols, the old 6to4 relays."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes, in parts that are checked."""

    scheme: str
    host: str
    """As written in the URL, in lower case: for the Host header and the certificate."""
    port: int
    path: str
    """With its query; what a request line holds."""

    @property
    def default_port(self) -> bool:
        """Whether the port goes without saying."""
        return self.port == (443 if self.scheme == "https" else 80)


def target_of(url: str, *, loopback: bool = False) -> Target:
    """Take a URL apart.

    Args:
        url: as somebody gave it.
        loopback: whether plain http, any port and this machine are allowed: for local use.

    Raises:
        Rejected: it is none that this system calls; `code` is forbidden_url.
    """
    if len(url) > MAX_URL or not _TEXT.fullmatch(url) or "\\" in url:
        raise _forbidden("it holds spaces, control characters or letters outside ASCII, or is too long")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise _forbidden("it cannot be read") from error
    if parts.scheme != "https" and not (loopback and parts.scheme == "http"):
        raise _forbidden("only https is called")
    if "@" in parts.netloc or parts.fragment:
        raise _forbidden("it holds a user name or a fragment")
    port = (443 if parts.scheme == "https" else 80) if port is None else port
    if port not in PORTS and not loopback:
        raise _forbidden(f"only the ports {', '.join(map(str, sorted(PORTS)))} are called")
    _check_host(host, loopback=loopback)
    path = parts.path or "/"
    return Target(parts.scheme, host, port, f"{path}?{parts.query}" if parts.query else path)


def _check_host(host: str, *, loopback: bool) -> None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if loopback and host == "localhost":
            return
        if not _NAME.fullmatch(host) or _NUMERIC.fullmatch(host.rpartition(".")[2]):
            raise _forbidden("its host is neither a full name nor a plainly written address") from None
        return
    if not callable_address(str(address), loopback=loopback):
        raise _forbidden("its address is not a public one")


def callable_address(text: str, *, loopback: bool = False) -> bool:
    """Whether a resolved address may be connected to.

    Args:
        text: as a resolver gives it.
        loopback: whether this machine's own may.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        if address.ipv4_mapped is not None:
            return callable_address(str(address.ipv4_mapped), loopback=loopback)
        if address in _NAT64:
            return callable_address(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        refused = any(address in network for network in _REFUSED_6)
        public = address in _GLOBAL_UNICAST and address.is_global and not refused
        return public or (loopback and address.is_loopback)
    refused = address.is_multicast or address.is_reserved or any(address in network for network in _REFUSED_4)
    return (address.is_global and not refused) or (loopback and address.is_loopback)


def _forbidden(why: str) -> Rejected:
    return Rejected(f"this address is not called: {why}", code="forbidden_url")
