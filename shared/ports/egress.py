"""The one way out: calls to addresses that somebody else chose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever it was."""

    status: int
    body: bytes
    """Its beginning: 4 kB at the most."""


class Egress(Protocol):
    """Calls out, to public addresses only: checked when the connection is made, whatever was checked before."""

    def check(self, url: str) -> None:
        """See whether a URL is one that would be called, as far as that can be told without asking anybody.

        Raises:
            Rejected: it is not.
        """
        ...

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a body and read the beginning of the answer. A redirect is an answer like any other.

        Raises:
            Rejected: the URL, or an address its name leads to, is none that may be called.
            Unavailable: nobody answered, not in time, or not in HTTP.
        """
        ...
