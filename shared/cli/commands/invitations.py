"""Commands about invitations: those that were sent, and the one that came to you."""

from typing import Annotated

import typer

from shared.cli.asking import Sure, confirm
from shared.cli.commands.account import PANEL
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age
from shared.cli.session import Session
from shared.cli.shapes.organisations import Invitation


def list_invitations(
    session: Session,
    all: Annotated[bool, typer.Option("--all", help="Accepted, revoked and expired ones too.")] = False,
) -> None:
    """List open invitations, newest first. `lambent members invite` makes one."""
    from shared.cli import directory

    org = session.organisation
    found = [one for one in org.invitations() if all or _state(one) == "open"]
    names = {} if session.json else directory.role_names(org, (one["role"] for one in found))
    rows = [
        (
            one["email"],
            directory.shown_role(one["role"], names),
            "one project" if one["project_id"] else "one unit" if one["unit_id"] else "",
            _state(one),
            one["expires_at"][:10],
            age(one["created_at"]),
            one["id"],
        )
        for one in found
    ]
    columns = [
        Column("Invited", flexible=True, style="bold"),
        Column("Role", flexible=True),
        Column("In"),
        Column("State"),
        Column("Until"),
        Column("Age", right=True),
        Column("Id", style="dim", spare=True),
    ]
    session.output.listing(found, columns, rows, empty="Nobody is invited. lambent members invite EMAIL asks somebody.")


def revoke(
    session: Session,
    invitation: Annotated[str, typer.Argument(metavar="INVITATION", help="Its id, or the address.")],
    yes: Sure = False,
) -> None:
    """Take an invitation back."""
    from shared.cli import directory

    found = directory.invitation(session.organisation, invitation)
    confirm(yes, f"Take back the invitation of {found['email']}?")
    session.organisation.revoke_invitation(found["id"])
    session.output.result({"id": found["id"], "revoked": True}, f"{found['email']} is not invited any more.")


def accept(
    session: Session,
    code: Annotated[str, typer.Argument(metavar="CODE", help="The code that was mailed to you, or its link.")],
) -> None:
    """Join by the code that was mailed to your address, and work in the organisation from now on."""
    from shared.cli.people import code_in, remember, required

    login = required(session).login
    joined = session.identity.accept(code_in(code))
    remember(session, login.email, org=joined, project="")
    found = next((one for one in session.identity.organisations() if one["id"] == joined), None)
    name = found["name"] if found else joined
    session.output.result({"org_id": joined}, f"You belong to {name} now, and commands work in it.")


def _state(one: Invitation) -> str:
    from datetime import UTC, datetime

    if one["accepted_at"] or one["revoked_at"]:
        return "accepted" if one["accepted_at"] else "revoked"
    return "open" if datetime.fromisoformat(one["expires_at"]) > datetime.now(UTC) else "expired"


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List invitations; take one back, accept one.", rich_markup_mode=None)
    group_default(group)(list_invitations)
    for body in (revoke, accept):
        api_command(group)(body)
    app.add_typer(group, name="invitations", rich_help_panel=PANEL)
