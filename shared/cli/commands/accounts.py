"""Commands about service accounts: programs that belong to an organisation and sign in by keys alone."""

from typing import Annotated

import typer

from shared.cli.asking import Sure, confirm
from shared.cli.commands.account import PANEL
from shared.cli.errors import CliError
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age, word
from shared.cli.session import Session

Wanted = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its name or id.")]


def list_accounts(session: Session) -> None:
    """List service accounts, newest first, disabled ones too."""
    from shared.cli import directory

    org = session.organisation
    found = list(org.accounts())
    names = {} if session.json else directory.role_names(org, (one["role"] for one in found))
    rows = [
        (
            one["name"],
            directory.shown_role(one["role"], names),
            "one project" if one["project_id"] else "",
            "disabled" if one["disabled_at"] else "",
            one["description"],
            age(one["created_at"]),
            one["id"],
        )
        for one in found
    ]
    columns = [
        Column("Account", flexible=True, style="bold"),
        Column("Role", flexible=True),
        Column("In"),
        Column("State"),
        Column("For", flexible=True),
        Column("Age", right=True),
        Column("Id", style="dim", spare=True),
    ]
    session.output.listing(found, columns, rows, empty="There are no service accounts. lambent accounts create NAME")


def create(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="What it may do.")] = "viewer",
    description: Annotated[str, typer.Option("--description", metavar="TEXT", help="What it is for.")] = "",
    in_project: Annotated[str, typer.Option("--in-project", metavar="PROJECT", help="Only in this project.")] = "",
) -> None:
    """Make a service account with a role, in one project or in all."""
    from shared.cli import directory, names

    body: dict[str, object] = {
        "name": name,
        "description": description,
        "role": directory.role_ref(session.organisation, role),
    }
    if in_project:
        body["project_id"] = names.project_id(session.client, in_project)
    made = session.organisation.create_account(body)
    session.output.result(made, f"Made the service account {made['name']}: {made['id']}")
    session.output.note(f"A key for it: lambent keys create NAME --account {word(made['name'])} --role {word(role)}")


def update(
    session: Session,
    account: Wanted,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Another name.")] = None,
    role: Annotated[str | None, typer.Option("--role", metavar="ROLE", help="Another role.")] = None,
    description: Annotated[str | None, typer.Option("--description", metavar="TEXT", help="What it is for.")] = None,
) -> None:
    """Change a service account, and with its role what its keys may do."""
    from shared.cli import directory

    ref = directory.role_ref(session.organisation, role) if role else None
    given = {"name": name, "description": description, "role": ref}
    change = {field: value for field, value in given.items() if value is not None}
    if not change:
        raise CliError("nothing is to change", code="usage", hint="lambent accounts update --help")
    changed = session.organisation.change_account(_id(session, account), change)
    session.output.result(changed, f"{changed['name']} is changed.")


def disable(session: Session, account: Wanted) -> None:
    """Make all its keys worthless until it is enabled again."""
    changed = session.organisation.switch_account(_id(session, account), on=False)
    session.output.result(changed, f"The keys of {changed['name']} are worthless until it is enabled.")


def enable(session: Session, account: Wanted) -> None:
    """Let its keys be good again."""
    changed = session.organisation.switch_account(_id(session, account), on=True)
    session.output.result(changed, f"The keys of {changed['name']} are good again.")


def delete(session: Session, account: Wanted, yes: Sure = False) -> None:
    """Delete a service account with its keys."""
    id = _id(session, account)
    confirm(yes, f"Delete the service account {account} with its keys?")
    session.organisation.delete_account(id)
    session.output.result({"id": id, "deleted": True}, f"Deleted the service account {account} and its keys.")


def _id(session: Session, wanted: str) -> str:
    from shared.cli import directory

    return directory.account(session.organisation, wanted)["id"]


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List service accounts; make, change or delete one.", rich_markup_mode=None)
    group_default(group)(list_accounts)
    for body in (create, update, disable, enable, delete):
        api_command(group)(body)
    app.add_typer(group, name="accounts", rich_help_panel=PANEL)
