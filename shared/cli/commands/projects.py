"""Commands about projects."""

from typing import Annotated

import typer

from shared.cli.asking import confirm
from shared.cli.commands.documents import PANEL
from shared.cli.errors import CliError
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age
from shared.cli.session import Session


def list_projects(session: Session) -> None:
    """List projects; `lambent projects create NAME` makes one."""
    found = list(session.api.projects())
    if session.json:
        session.output.value(found)
        return
    rows = [(one["name"], age(one["created_at"]), one["id"]) for one in found]
    session.output.table(
        [Column("Project", flexible=True, style="bold"), Column("Age", right=True), Column("Id", style="dim")], rows
    )


def create(session: Session, name: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Make a project."""
    made = session.api.create_project(name)
    if session.json:
        session.output.value(made)
    else:
        session.output.line(f"Made the project {made['name']}: {made['id']}")
        session.output.note(f"Work in it with --project {made['id']}")


def delete(
    session: Session,
    name: Annotated[str, typer.Argument(help="Its name.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a project with everything in it, and revoke its keys."""
    found = next((one for one in session.api.projects() if one["name"] == name), None)
    if found is None:
        raise CliError(f"there is no project named {name!r}", code="project_not_found", hint="lambent projects")
    confirm(yes, f"Delete the project {name} with everything in it?")
    receipt = session.api.delete_project(found["id"], name)
    if session.json:
        session.output.value(receipt)
    else:
        session.output.line(f"Deleted {name}: nothing of it is found from now on, and its keys are revoked.")
        session.output.note(f"lambent receipts show {receipt['id']}")


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List projects, make or delete one.", rich_markup_mode=None)
    group_default(group)(list_projects)
    api_command(group)(create)
    api_command(group)(delete)
    app.add_typer(group, name="projects", rich_help_panel=PANEL)
