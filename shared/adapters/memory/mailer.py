"""Mail that stays here."""

from shared.domain.errors import Unavailable
from shared.ports.mailer import Mail


class MemoryMailer:
    """Implements `shared.ports.mailer.Mailer`."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.closed = False
        """Takes nothing while it is."""

    async def send(self, mail: Mail) -> None:
        """See the port."""
        if self.closed:
            raise Unavailable("sending mail failed: closed")
        self.sent.append(mail)
