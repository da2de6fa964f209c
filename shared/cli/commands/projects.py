"""Commands about projects."""

from typing import TYPE_CHECKING, Annotated

import typer

from shared.cli.asking import Sure, confirm_by_name
from shared.cli.commands.account import PANEL
from shared.cli.errors import Unresolved
from shared.cli.names import as_id
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age, word
from shared.cli.session import Session
from shared.cli.shapes.rooms import Project

if TYPE_CHECKING:
    from shared.cli.projects import Projects

Wanted = Annotated[str, typer.Argument(metavar="PROJECT", help="Its name or id.")]


def list_projects(session: Session) -> None:
    """List projects, archived ones too."""
    found = list(_routes(session).all())
    rows = [
        (
            one["name"],
            "archived" if one["archived_at"] else "worked in" if one["id"] == session.address.project else "",
            age(one["created_at"]),
            one["id"],
        )
        for one in found
    ]
    columns = [
        Column("Project", flexible=True, style="bold"),
        Column("State"),
        Column("Age", right=True),
        Column("Id", style="dim", spare=True),
    ]
    session.output.listing(found, columns, rows, empty="There are no projects. lambent projects create NAME makes one.")


def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="Its name.")],
    unit: Annotated[str, typer.Option("--unit", metavar="UNIT", help="The org unit it lies in.")] = "",
) -> None:
    """Make a project."""
    made = _routes(session).create(name, _unit(session, unit) if unit else None)
    session.output.result(made, f"Made the project {made['name']}: {made['id']}")
    session.output.note(
        f"Work in it: --project {word(made['name'])}, or for good lambent projects use {word(made['name'])}"
    )


def use(session: Session, which: Wanted) -> None:
    """Work in this project from now on, where a command names none."""
    from shared.cli.people import remember, required

    login = required(session).login
    found = _find(session, which)
    # The organisation goes with it: a project of another one would otherwise be looked for in the wrong place.
    remember(session, login.email, project=found["id"], org=session.address.org or session.organisation.id)
    session.output.result(found, f"Commands work in the project {found['name']} now.")


def rename(
    session: Session, which: Wanted, name: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")]
) -> None:
    """Give a project another name."""
    changed = _routes(session).rename(_find(session, which)["id"], name)
    session.output.result(changed, f"It is called {changed['name']} now.")


def move(
    session: Session,
    which: Wanted,
    to: Annotated[str, typer.Option("--to", metavar="UNIT", help="The org unit; without, it lies in none.")] = "",
) -> None:
    """Put a project into an org unit. Whoever has a role there has it in the project from then on."""
    found = _find(session, which)
    moved = _routes(session).move(found["id"], _unit(session, to) if to else None)
    session.output.result(moved, f"{moved['name']} lies in {to or 'no unit'} now.")


def archive(session: Session, which: Wanted) -> None:
    """Put a project away: nobody reads, writes or asks in it until it is restored."""
    found = _find(session, which)
    put = _routes(session).archive(found["id"], away=True)
    session.output.result(put, f"{put['name']} is in the archive.")


def restore(session: Session, which: Wanted) -> None:
    """Take a project out of the archive."""
    found = _find(session, which)
    taken = _routes(session).archive(found["id"], away=False)
    session.output.result(taken, f"{taken['name']} is worked in again.")


def delete(session: Session, which: Wanted, yes: Sure = False) -> None:
    """Delete a project with everything in it, and revoke its keys. Asks for its name."""
    from shared.cli.credentials import SignedIn
    from shared.cli.people import remember

    found = _find(session, which)
    confirm_by_name(yes, "project", found["name"])
    receipt = _routes(session).delete(found["id"], found["name"])
    credential = session.address.credential
    if isinstance(credential, SignedIn) and credential.login.project == found["id"]:
        remember(session, credential.login.email, project="")
    words = f"Deleted {found['name']}: nothing of it is found from now on, and its keys are revoked."
    session.output.result(receipt, words)
    session.output.note(f"lambent receipts show {receipt['id']}")


def _routes(session: Session) -> "Projects":
    from shared.cli.projects import Projects

    return Projects(session.client)


def _unit(session: Session, wanted: str) -> str:
    from shared.cli.directory import unit_id

    return as_id(wanted) or unit_id(session.organisation, wanted)


def _find(session: Session, wanted: str) -> Project:
    found = [one for one in _routes(session).all() if wanted in (one["name"], one["id"])]
    if not found:
        raise Unresolved(f"there is no project {wanted!r}", code="project_not_found", hint="lambent projects")
    if len(found) > 1:
        raise Unresolved(f"{len(found)} projects are called {wanted!r}", code="ambiguous", hint="name one by its id")
    return found[0]


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List projects; make, choose, archive or delete one.", rich_markup_mode=None)
    group_default(group)(list_projects)
    for body in (create, use, rename, move, archive, restore, delete):
        api_command(group)(body)
    app.add_typer(group, name="projects", rich_help_panel=PANEL)
