"""The one way out: calls to addresses that somebody else chose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever it was."""

    status: int
    body: bytes
    """Its beginning: as much as was asked for at the most."""


BEGINNING = 4096
"""Bytes of an answer that are read when nobody needs more."""


class Egress(Protocol):
    """Calls out, to public addresses only: checked when the connection is made, whatever was checked before."""

    def check(self, url: str) -> None:
        """See whether a URL is one that would be called, as far as that can be told without asking anybody.

        Raises:
            Rejected: it is not.
        """
        ...

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, most: int = BEGINNING) -> Reply:
        """Send a body and read the beginning of the answer. A redirect is an answer like any other.

        Args:
            url: where to.
            body: as it is sent.
            headers: beside those of every request.
            most: bytes of the answer that are read.

        Raises:
            Rejected: the URL, or an address its name leads to, is none that may be called.
            Unavailable: nobody answered, not in time, or not in HTTP.
        """
        ...

    async def get(self, url: str, headers: Mapping[str, str], *, most: int = BEGINNING) -> Reply:
        """Ask for what is there, and read its beginning. Otherwise as `post`.

        Raises:
            Rejected, Unavailable: as `post`.
        """
        ...
