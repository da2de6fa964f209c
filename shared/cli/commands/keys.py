"""Commands about API keys: yours, and those of service accounts."""

from typing import Annotated

import typer

from shared.cli.asking import Sure, confirm
from shared.cli.commands.account import PANEL
from shared.cli.errors import CliError
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age
from shared.cli.session import Session
from shared.cli.shapes.organisations import ApiKey


def list_keys(
    session: Session,
    all: Annotated[bool, typer.Option("--all", help="Revoked and expired ones too.")] = False,
    of: Annotated[str, typer.Option("--of", metavar="WHO", help="Of one member or service account.")] = "",
) -> None:
    """List keys, newest first. Those who manage no members see their own."""
    org = session.organisation
    owners = _owners(session)
    owner = next((id for id, name in owners.items() if of in (id, name)), of)
    found = [one for one in org.keys(owner) if all or _state(one) == "good"]
    rows = [
        (
            f"{one['prefix']}…",
            one["name"],
            owners.get(one["user_id"] or one["service_account_id"] or "", one["created_by"]),
            str(len(one["permissions"])),
            "one project" if one["project_id"] else "",
            _state(one),
            (one["expires_at"] or "")[:10],
            age(one["last_used_at"]) or "never",
            one["id"],
        )
        for one in found
    ]
    columns = [
        Column("Key", style="bold"),
        Column("Name", flexible=True),
        Column("Acts for", flexible=True),
        Column("Rights", right=True),
        Column("In", spare=True),
        Column("State"),
        Column("Until"),
        Column("Used", right=True),
        Column("Id", style="dim", spare=True),
    ]
    session.output.listing(found, columns, rows, empty="There are no keys. lambent keys create NAME makes one.")


def create(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    permission: Annotated[
        list[str] | None, typer.Option("--permission", "-p", metavar="NAME", help="What it may do; repeatable.")
    ] = None,
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help="Instead: what this role may do, as it is now.")
    ] = "",
    in_project: Annotated[str, typer.Option("--in-project", metavar="PROJECT", help="Only in this project.")] = "",
    account: Annotated[str, typer.Option("--account", metavar="NAME", help="Acts for this service account.")] = "",
    expires: Annotated[str, typer.Option("--expires", metavar="WHEN", help="30d, 12h or 2026-12-31.")] = "",
) -> None:
    """Make a key that acts for you. Its secret is shown this once.

    It holds no permission that you do not hold, and when it is used none that you do not hold at that moment.
    """
    from shared.cli import directory, moments, names

    org = session.organisation
    body: dict[str, object] = {"name": name, "permissions": _permissions(session, permission or [], role)}
    if in_project:
        body["project_id"] = names.project_id(session.client, in_project)
    if expires:
        body["expires_at"] = moments.moment(expires, "--expires", ahead=True)
    made = org.mint(body, directory.account(org, account)["id"] if account else "")
    if session.json:
        session.output.value(made)
        return
    if made.get("secret_withheld"):
        raise CliError(
            f"the key {made['name']} was made, but the answer with its secret was lost on the way",
            code="secret_withheld",
            hint=f"lambent keys revoke {made['id']}, and make it again",
        )
    session.output.note(f"Made the key {made['name']} ({made['id']}). This is its secret, shown this once:", "")
    session.output.line(made["secret"])


def revoke(
    session: Session,
    which: Annotated[str, typer.Argument(metavar="KEY", help="Its id, beginning or name.")],
    yes: Sure = False,
) -> None:
    """End a key, from this moment on."""
    from shared.cli import directory

    found = directory.key(session.organisation, which)
    confirm(yes, f"Revoke the key {found['name']} ({found['prefix']}…)?")
    session.organisation.revoke_key(found["id"])
    session.output.result({"id": found["id"], "revoked": True}, f"The key {found['name']} is good no more.")


def _permissions(session: Session, given: list[str], role: str) -> list[str]:
    if bool(given) == bool(role):
        raise CliError("say what it may do: --permission, repeatable, or --role", code="usage", hint="lambent roles")
    if not role:
        return given
    from shared.cli.directory import any_role

    return any_role(session.organisation, role)["permissions"]


def _owners(session: Session) -> dict[str, str]:
    """Names of those whom keys act for, as far as they may be seen."""
    from shared.cli.errors import ApiProblem

    found: dict[str, str] = {}
    try:
        found |= {one["user_id"]: one.get("email", "") for one in session.organisation.members()}
        found |= {one["id"]: one["name"] for one in session.organisation.accounts()}
    except ApiProblem as problem:
        if problem.status != 403:
            raise
    return found


def _state(one: ApiKey) -> str:
    from datetime import UTC, datetime

    if one["revoked_at"]:
        return "revoked"
    expires = one["expires_at"]
    return "expired" if expires and datetime.fromisoformat(expires) <= datetime.now(UTC) else "good"


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List API keys; make or revoke one.", rich_markup_mode=None)
    group_default(group)(list_keys)
    for body in (create, revoke):
        api_command(group)(body)
    app.add_typer(group, name="keys", rich_help_panel=PANEL)
