"""Mail to people."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """One message: plain text."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Where mail is handed in. That it was taken says nothing of its arrival."""

    async def send(self, mail: Mail) -> None:
        """Hand in a message.

        Raises:
            Unavailable: it was not taken.
        """
        ...
