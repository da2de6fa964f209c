"""The mail that the local cloud sent; of a deployment on AWS there is none to be read here."""

from typing import TYPE_CHECKING

from shared.cli.errors import CliError

if TYPE_CHECKING:
    from shared.cli.session import Session
    from shared.local.inbox import Message


def inbox(session: "Session", to: str = "") -> "list[Message]":
    """What was mailed, oldest first.

    Raises:
        CliError: the API is not the local cloud's.
    """
    from shared.cli import local_cloud

    if session.place.local is None:
        raise CliError(
            f"{session.place.url} sends its mail through SES to the people themselves",
            code="no_inbox",
            hint="look into the mailbox of the address; only the local cloud keeps what it sent",
        )
    found = local_cloud.inbox(session.place.local)
    return [one for one in found if not to or to.lower() in (address.lower() for address in one.to)]
