"""Commands about your account: its name, its address, closing it."""

from dataclasses import replace
from typing import Annotated

import typer

from shared.cli import asking
from shared.cli.asking import FromStdin, Sure
from shared.cli.commands.account import PANEL
from shared.cli.options import api_command, group_default
from shared.cli.plain import moment
from shared.cli.session import Session


def show(session: Session) -> None:
    """Show your account. `lambent whoami` shows what you belong to."""
    from shared.cli.people import required

    required(session)
    me = session.identity.me()
    if session.json:
        session.output.value(me)
        return
    verified = moment(me["verified_at"]) if me["verified_at"] else "no"
    facts = [
        ("Name", me["name"]),
        ("Address", me["email"]),
        ("Confirmed", verified),
        ("Since", moment(me["created_at"])),
    ]
    session.output.facts([*facts, ("Id", me["id"])])


def rename(session: Session, name: Annotated[str, typer.Argument(metavar="NAME", help="Your name.")]) -> None:
    """Change your name."""
    from shared.cli.people import required

    required(session)
    changed = session.identity.rename(name)
    session.output.result(changed, f"You are called {changed['name']} now.")


def email(
    session: Session,
    address: Annotated[str, typer.Argument(metavar="EMAIL", help="Your other address.")],
    password_stdin: FromStdin = False,
) -> None:
    """Have a code mailed to another address of yours; with it: lambent me confirm CODE. Until then nothing changes."""
    from shared.cli.people import require_privacy, required

    require_privacy(session.place)
    required(session)
    session.identity.move(address, asking.password("Password", from_stdin=password_stdin))
    session.output.result({"email": address, "confirmed": False}, f"A code is on its way to {address}.")
    where = "read it with lambent mail show, then: " if session.place.local else ""
    session.output.note(f"{where}lambent me confirm CODE")


def confirm(
    session: Session,
    code: Annotated[str, typer.Argument(metavar="CODE", help="The code that was mailed there, or its link.")],
) -> None:
    """Take the address that the code was mailed to. You are signed out everywhere else."""
    from shared.cli.people import code_in, required

    login = required(session).login
    moved = session.identity.moved(code_in(code))
    with session.logins.changing() as kept:
        # Renewed meanwhile, its tokens may be others.
        present = kept.named(login.email) or login
        kept.forget(login.email)
        kept.put(replace(present, email=moved["email"]))
        kept.current = moved["email"]
    session.output.result(moved, f"Your address is {moved['email']} now, and you are signed out everywhere else.")


def close(session: Session, yes: Sure = False, password_stdin: FromStdin = False) -> None:
    """Close your account: no sign-in and no key of yours is good any more. Nobody but the deployment reopens it."""
    from shared.cli.people import require_privacy, required

    require_privacy(session.place)
    login = required(session).login
    asking.confirm(yes, f"Close the account of {login.email}?")
    session.identity.close(asking.password("Password", from_stdin=password_stdin))
    with session.logins.changing() as kept:
        kept.forget(login.email)
    session.output.result({"email": login.email, "closed": True}, f"The account of {login.email} is closed.")


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="Your account: its name, its address, closing it.", rich_markup_mode=None)
    group_default(group, "show")(show)
    for body in (rename, email, confirm, close):
        api_command(group)(body)
    app.add_typer(group, name="me", rich_help_panel=PANEL)
