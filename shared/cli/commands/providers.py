"""Commands about other parties by which one may sign in (OpenID Connect)."""

from typing import Annotated

import typer

from shared.cli import asking
from shared.cli.asking import FromStdin, Sure
from shared.cli.commands.account import PANEL, Back
from shared.cli.credentials import SignedIn
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.session import Session

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of lambent providers.")]


def list_providers(session: Session) -> None:
    """List by whom one may sign in here, and as whom they know you. `lambent login --provider NAME` does it."""
    found = session.stranger.providers()
    known = {}
    if session.logins.current() and isinstance(session.address.credential, SignedIn):
        known = {one["issuer"]: one["subject"] for one in session.identity.identities()}
    rows = [(one["name"], one["title"], known.get(one["issuer"], ""), one["issuer"]) for one in found]
    columns = [
        Column("Name", style="bold"),
        Column("Title", flexible=True),
        Column("You there", flexible=True),
        Column("Issuer", flexible=True),
    ]
    told = [{**one, "subject": known.get(one["issuer"])} for one in found]
    session.output.listing(told, columns, rows, empty="Nobody vouches for users there.")


def link(session: Session, name: Name, back: Back = "", password_stdin: FromStdin = False) -> None:
    """Come in by another party too."""
    from shared.cli.people import require_privacy, required
    from shared.cli.vouching import as_signed, come_back, provider_named

    require_privacy(session.place)
    required(session)
    provider = provider_named(session, name)
    password = asking.password("Password", from_stdin=password_stdin)
    signed = come_back(session, provider, back, lambda uri: session.identity.linking(name, uri, password))
    # What comes back is a sign-in of its own, and there is one here.
    as_signed(session, signed).logout()
    session.output.result({"provider": name, "linked": True}, f"You may sign in by {provider['title'] or name} now.")


def unlink(session: Session, name: Name, yes: Sure = False) -> None:
    """Come in by another party no more; not when it is the only way in that you have."""
    from shared.cli.people import required

    required(session)
    asking.confirm(yes, f"Sign in by {name} no more?")
    session.identity.unlink(name)
    session.output.result({"provider": name, "linked": False}, f"You do not sign in by {name} any more.")


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List by whom one may sign in; link one to you, or take it away.", rich_markup_mode=None)
    group_default(group)(list_providers)
    for body in (link, unlink):
        api_command(group)(body)
    app.add_typer(group, name="providers", rich_help_panel=PANEL)
