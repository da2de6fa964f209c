"""Commands about organisations: yours, the one you work in, making and deleting one."""

from typing import Annotated

import typer

from shared.cli.asking import Sure, confirm, confirm_by_name
from shared.cli.commands.account import PANEL
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age, moment
from shared.cli.session import Session

Wanted = Annotated[str, typer.Argument(metavar="NAME", help="Its name or id; by default the one that is worked in.")]


def list_orgs(session: Session) -> None:
    """List the organisations you belong to."""
    from shared.cli.people import required

    required(session)
    found = session.identity.organisations()
    rows = [
        (
            one["name"],
            one["role"],
            "suspended" if one["suspended_at"] else "worked in" if one["id"] == session.address.org else "",
            age(one["created_at"]),
            one["id"],
        )
        for one in found
    ]
    columns = [
        Column("Organisation", flexible=True, style="bold"),
        Column("Your role", flexible=True),
        Column("State"),
        Column("Since", right=True),
        Column("Id", style="dim", spare=True),
    ]
    session.output.listing(
        found, columns, rows, empty="You belong to no organisation. lambent orgs create NAME makes one."
    )


def show(session: Session, name: Wanted = "") -> None:
    """Show an organisation."""
    found = session.organisation_named(name).get()
    if session.json:
        session.output.value(found)
    else:
        made = moment(found["created_at"])
        session.output.facts([("Organisation", found["name"]), ("Id", found["id"]), ("Made", made)])


def create(session: Session, name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")]) -> None:
    """Make an organisation. You are its owner, and it has a project named default."""
    from shared.cli.people import required

    required(session)
    made = session.identity.found(name)
    session.output.result(made, f"Made the organisation {made['name']}: {made['id']}")
    session.output.note(f"Work in it: lambent orgs use {made['id']}")


def use(session: Session, name: Annotated[str, typer.Argument(metavar="NAME", help="Its name or id.")]) -> None:
    """Work in this organisation from now on, where a command names none."""
    from shared.cli.people import remember, required

    login = required(session).login
    found = session.organisation_named(name).get()
    remember(session, login.email, org=found["id"], project="")
    session.output.result(found, f"Commands work in {found['name']} now.")


def rename(
    session: Session,
    new_name: Annotated[str, typer.Argument(metavar="NEW", help="The name it is to have.")],
    name: Wanted = "",
) -> None:
    """Give an organisation another name."""
    changed = session.organisation_named(name).rename(new_name)
    session.output.result(changed, f"It is called {changed['name']} now.")


def leave(session: Session, name: Wanted = "", yes: Sure = False) -> None:
    """Leave an organisation: your membership ends, with what it gave you and with your keys. Its last owner stays."""
    from shared.cli.people import remember, required

    login = required(session).login
    org = session.organisation_named(name)
    belonging = next((one["name"] for one in session.identity.organisations() if one["id"] == org.id), org.id)
    confirm(yes, f"Leave {belonging}?")
    session.identity.leave(org.id)
    if login.org == org.id:
        remember(session, login.email, org="", project="")
    session.output.result({"org_id": org.id, "left": True}, f"You do not belong to {belonging} any more.")


def delete(session: Session, name: Wanted = "", yes: Sure = False) -> None:
    """Delete an organisation with everything in it, and revoke every key. Asks for its name."""
    from shared.cli.credentials import SignedIn
    from shared.cli.people import remember

    org = session.organisation_named(name)
    found = org.get()
    confirm_by_name(yes, "organisation", found["name"])
    receipt = org.delete(found["name"])
    credential = session.address.credential
    if isinstance(credential, SignedIn) and credential.login.org == org.id:
        remember(session, credential.login.email, org="", project="")
    words = f"Deleted {found['name']}: nothing of it is found from now on, and its keys are revoked."
    session.output.result(receipt, words)
    session.output.note(f"The receipt is {receipt['id']}: keep this id, whoever keeps the deployment shows it by it.")


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List your organisations; make, choose, leave or delete one.", rich_markup_mode=None)
    group_default(group)(list_orgs)
    for body in (show, create, use, rename, leave, delete):
        api_command(group)(body)
    app.add_typer(group, name="orgs", rich_help_panel=PANEL)
