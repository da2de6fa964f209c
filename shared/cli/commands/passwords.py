"""Commands about passwords, and about where you are signed in."""

from itertools import islice
from typing import Annotated

import typer

from shared.cli import asking
from shared.cli.asking import FromStdin
from shared.cli.commands.account import PANEL, Email
from shared.cli.errors import ApiProblem, CliError
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age, moment, plural
from shared.cli.session import Session


def forgot(session: Session, email: Email = "") -> None:
    """Have a code mailed that sets another password."""
    email = asking.text(email or session.logins.read().current, "Address", "EMAIL")
    session.stranger.forgot(email)
    session.output.result({"email": email}, f"If {email} has an account, a code is on its way.")
    where = "read it with lambent mail show, then: " if session.place.local else ""
    session.output.note(f"{where}lambent password reset CODE")


def reset(
    session: Session,
    code: Annotated[str, typer.Argument(metavar="CODE", help="The code that was mailed, or its link.")],
    password_stdin: FromStdin = False,
) -> None:
    """Set another password by the code that was mailed. You are signed out everywhere."""
    from shared.cli.people import code_in, require_privacy

    require_privacy(session.place)
    session.stranger.reset(code_in(code), asking.password("New password", from_stdin=password_stdin, twice=True))
    session.output.result({"reset": True}, "Your password is set, and you are signed out everywhere. lambent login")


def change(session: Session, password_stdin: FromStdin = False) -> None:
    """Set another password in place of the present one. You are signed out everywhere else."""
    from shared.cli.people import require_privacy, required

    require_privacy(session.place)
    required(session)
    present = asking.password("Present password", from_stdin=password_stdin)
    session.identity.change(present, asking.password("New password", from_stdin=password_stdin, twice=True))
    session.output.result({"changed": True}, "Your password is changed, and you are signed out everywhere else.")


def list_sign_ins(session: Session) -> None:
    """List where you are signed in; `revoke` signs out somewhere."""
    from shared.cli.people import required

    required(session)
    found = session.identity.sign_ins()
    rows = [
        (
            "here" if one["present"] else "",
            one["method"],
            one["client"],
            one["address"],
            age(one["used_at"]),
            age(one["created_at"]),
            one["id"],
        )
        for one in found
    ]
    columns = [
        Column("", style="bold"),
        Column("By"),
        Column("Client", spare=True),
        Column("Address", spare=True),
        Column("Used", right=True),
        Column("Begun", right=True),
        Column("Id", style="dim"),
    ]
    session.output.listing(found, columns, rows)


def revoke(
    session: Session,
    sign_in: Annotated[str, typer.Argument(metavar="ID", help="Of lambent sessions.")] = "",
    others: Annotated[bool, typer.Option("--others", help="Everywhere but here.")] = False,
) -> None:
    """Sign out somewhere else."""
    from shared.cli.people import required

    required(session)
    if bool(sign_in) == others:
        raise CliError("name a sign-in by its id, or give --others", code="usage", hint="lambent sessions")
    if others:
        count = session.identity.end_others()
        session.output.result({"revoked": count}, f"Signed out in {plural(count, 'other place')}.")
        return
    try:
        session.identity.end(sign_in)
    except ApiProblem as problem:
        if problem.status in {404, 422}:
            problem.hint = "lambent sessions"
        raise
    session.output.result({"id": sign_in, "revoked": 1}, "Signed out there.")


def history(
    session: Session,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="How many at most.", min=1)] = 20,
) -> None:
    """Show what happened to your account, newest first: sign-ins, refusals, sign-ins ended, passwords."""
    from shared.cli.people import required

    required(session)
    found = list(islice(session.identity.events(), limit))
    rows = [(moment(one["at"]).removesuffix(" UTC"), one["action"], one["address"], one["client"]) for one in found]
    columns = [
        Column("When"),
        Column("What", style="bold"),
        Column("Address", flexible=True),
        Column("Client", flexible=True),
    ]
    session.output.listing(found, columns, rows, empty="Nothing happened to it.")


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    password = typer.Typer(help="Change a password, or set another when it is forgotten.", rich_markup_mode=None)
    for body in (forgot, reset, change):
        api_command(password)(body)
    app.add_typer(password, name="password", rich_help_panel=PANEL)
    sessions = typer.Typer(help="List where you are signed in; sign out somewhere.", rich_markup_mode=None)
    group_default(sessions)(list_sign_ins)
    api_command(sessions)(revoke)
    api_command(sessions)(history)
    app.add_typer(sessions, name="sessions", rich_help_panel=PANEL)
