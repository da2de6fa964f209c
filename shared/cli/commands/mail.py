"""Commands about the mail that the local cloud sent: on AWS it goes to people, here into an inbox."""

from dataclasses import asdict
from typing import Annotated

import typer

from shared.cli.commands.cloud import PANEL
from shared.cli.errors import CliError
from shared.cli.inbox import inbox
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age
from shared.cli.session import Session

To = Annotated[str, typer.Option("--to", metavar="EMAIL", help="Only messages to this address.")]


def list_messages(session: Session, to: To = "") -> None:
    """List what the local cloud has mailed since it was started, newest first; `show` prints one."""
    found = inbox(session, to)[::-1]
    rows = [(str(one.number), ", ".join(one.to), one.subject, age(one.at)) for one in found]
    columns = [
        Column("No", right=True, style="bold"),
        Column("To", flexible=True),
        Column("Subject", flexible=True),
        Column("Age", right=True),
    ]
    session.output.listing(
        [asdict(one) for one in found], columns, rows, empty="Nothing was mailed since the local cloud was started."
    )


def show(
    session: Session,
    number: Annotated[int, typer.Argument(metavar="N", help="Of the list; by default the latest.", min=0)] = 0,
    to: To = "",
) -> None:
    """Print a message."""
    found = [one for one in inbox(session, to) if number in (0, one.number)]
    if not found:
        what = f"there is no message {number}" if number else "there is no message"
        raise CliError(what + (f" to {to}" if to else ""), code="no_message", hint="lambent mail")
    one = found[-1]
    if session.json:
        session.output.value(asdict(one))
        return
    session.output.facts([("From", one.sender), ("To", ", ".join(one.to)), ("Subject", one.subject), ("Sent", one.at)])
    session.output.line()
    session.output.line(one.text.rstrip())


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="Show what the local cloud has mailed.", rich_markup_mode=None)
    group_default(group)(list_messages)
    api_command(group)(show)
    app.add_typer(group, name="mail", rich_help_panel=PANEL)
