"""Commands about roles: the built-in ones, and sets of permissions of an organisation's own."""

from typing import Annotated

import typer

from shared.cli.asking import Sure, confirm
from shared.cli.commands.account import PANEL
from shared.cli.errors import CliError
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age, word
from shared.cli.session import Session

Wanted = Annotated[str, typer.Argument(metavar="ROLE", help="Its name or id.")]
Permissions = Annotated[
    list[str] | None,
    typer.Option(
        "--permission", "-p", metavar="NAME", help="What it may do; repeatable. lambent roles show owner lists all."
    ),
]
Description = Annotated[str | None, typer.Option("--description", metavar="TEXT", help="What it is for.")]


def list_roles(session: Session) -> None:
    """List the built-in roles and your own."""
    found = session.organisation.roles()
    rows = [(one["name"], str(len(one["permissions"])), "built in", "", "") for one in found["built_in"]]
    rows += [
        (one["name"], str(len(one["permissions"])), one["description"], age(one["created_at"]), one["id"])
        for one in found["items"]
    ]
    columns = [
        Column("Role", flexible=True, style="bold"),
        Column("Permissions", right=True),
        Column("For", flexible=True),
        Column("Age", right=True),
        Column("Id", style="dim", spare=True),
    ]
    session.output.listing(found, columns, rows)


def show(session: Session, role: Wanted) -> None:
    """Show what a role may do."""
    from shared.cli.directory import any_role

    found = any_role(session.organisation, role)
    session.output.result(found, "\n".join(found["permissions"]))


def create(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
    permission: Permissions = None,
    description: Description = None,
) -> None:
    """Make a role: a set of permissions, none that you do not hold yourself."""
    if not permission:
        raise CliError("a role needs at least one --permission", code="usage", hint="lambent roles show owner")
    made = session.organisation.create_role(name, description or "", permission)
    session.output.result(made, f"Made the role {made['name']}: {made['id']}")
    session.output.note(f"Give it to somebody: lambent members role MEMBER {word(made['name'])}")


def update(
    session: Session,
    role: Wanted,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Another name.")] = None,
    permission: Permissions = None,
    description: Description = None,
) -> None:
    """Change a role, and with it what everybody may do who has it. Permissions given replace those it had."""
    from shared.cli.directory import own_role

    given = {"name": name, "description": description, "permissions": permission or None}
    change = {field: value for field, value in given.items() if value is not None}
    if not change:
        raise CliError("nothing is to change", code="usage", hint="lambent roles update --help")
    changed = session.organisation.change_role(own_role(session.organisation, role)["id"], change)
    session.output.result(changed, f"{changed['name']} is changed.")


def delete(session: Session, role: Wanted, yes: Sure = False) -> None:
    """Delete a role that nobody has and no invitation offers."""
    from shared.cli.directory import own_role

    found = own_role(session.organisation, role)
    confirm(yes, f"Delete the role {found['name']}?")
    session.organisation.delete_role(found["id"])
    session.output.result({"id": found["id"], "deleted": True}, f"Deleted the role {found['name']}.")


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List roles; make, change or delete one.", rich_markup_mode=None)
    group_default(group)(list_roles)
    for body in (show, create, update, delete):
        api_command(group)(body)
    app.add_typer(group, name="roles", rich_help_panel=PANEL)
