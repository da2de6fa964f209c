"""Mail through SES."""

from shared.adapters.aws.calls import call
from shared.adapters.aws.clients import Clients, clients
from shared.ports.mailer import Mail


class SesMailer:
    """Implements `shared.ports.mailer.Mailer`."""

    def __init__(self, sender: str, clients: Clients | None = None) -> None:
        """Nothing is opened before the first message.

        Args:
            sender: an address that SES knows as the deployment's own.
            clients: those of the process when None.
        """
        self._sender = sender
        self._clients = clients

    async def send(self, mail: Mail) -> None:
        """See the port."""
        message = {
            "FromEmailAddress": self._sender,
            "Destination": {"ToAddresses": [mail.to]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": mail.text, "Charset": "UTF-8"}},
                }
            },
        }
        await call("sending mail", lambda: (self._clients or clients()).get("sesv2").send_email(**message))
