"""How connections are made, to the API and to the object store alike."""

from urllib.parse import urlsplit

import httpx

from shared.cli.address import is_loopback

LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=32)


def open_http(url: str, timeout: httpx.Timeout) -> httpx.Client:
    """A client for addresses like this one.

    No proxy stands before this machine itself. Reading the list of certificate authorities takes 40 ms, which an
    address without encryption need not wait for: no answer is ever followed elsewhere.
    """
    encrypted = urlsplit(url).scheme == "https"
    return httpx.Client(timeout=timeout, limits=LIMITS, trust_env=not is_loopback(url), verify=encrypted)
