"""Commands about the people of an organisation: in all of it, in one unit, or in one project."""

from typing import Annotated

import typer

from shared.cli.asking import Sure, confirm
from shared.cli.commands.account import PANEL
from shared.cli.errors import CliError
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age
from shared.cli.session import Session

Person = Annotated[str, typer.Argument(metavar="MEMBER", help="Their address or id.")]
RoleName = Annotated[
    str, typer.Argument(metavar="ROLE", help="owner, admin, editor, viewer, one of your own by name, or none.")
]
InProject = Annotated[
    str, typer.Option("--in-project", metavar="PROJECT", help="What they hold in this project itself.")
]
InUnit = Annotated[str, typer.Option("--in-unit", metavar="UNIT", help="What they hold in this org unit itself.")]


def list_members(session: Session, in_project: InProject = "", in_unit: InUnit = "") -> None:
    """List members, with the role each has in the organisation, or in one unit or project."""
    from shared.cli import directory

    org, (kind, place) = session.organisation, _place(session, in_project, in_unit)
    everyone = {one["user_id"]: one for one in org.members()}
    ways = {"project": org.project_members, "unit": org.unit_members}
    found = ways[kind](place) if kind else list(everyone.values())
    names = {} if session.json else directory.role_names(org, (one["role"] for one in found))
    rows = [
        (
            everyone.get(one["user_id"], one).get("email", ""),
            everyone.get(one["user_id"], one).get("name", ""),
            directory.shown_role(one["role"], names),
            "suspended" if everyone.get(one["user_id"], one).get("suspended_at") else "",
            age(one["created_at"]),
            one["user_id"],
        )
        for one in found
    ]
    columns = [
        Column("Member", flexible=True, style="bold"),
        Column("Name", flexible=True),
        Column("Role", flexible=True),
        Column("State"),
        Column("Since", right=True),
        Column("Id", style="dim", spare=True),
    ]
    session.output.listing(found, columns, rows, empty="Nobody has a role there itself.")


def invite(
    session: Session,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whom to ask.")],
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="The role they are to have, or none.")] = "viewer",
    in_project: Annotated[str, typer.Option("--in-project", metavar="PROJECT", help="Only in this project.")] = "",
    in_unit: Annotated[str, typer.Option("--in-unit", metavar="UNIT", help="Only in this org unit.")] = "",
) -> None:
    """Ask somebody to join, by mail, with no role that may do more than you."""
    from shared.cli import directory

    org, (kind, place) = session.organisation, _place(session, in_project, in_unit)
    body: dict[str, object] = {"email": email, "role": directory.role_ref(org, role)}
    made = org.invite({**body, f"{kind}_id": place} if kind else body)
    session.output.result(made, f"{made['email']} is invited as {role} until {made['expires_at'][:10]}.")
    session.output.note("The code is in the mail alone; they join with: lambent invitations accept CODE")


def role(session: Session, member: Person, role: RoleName, in_project: InProject = "", in_unit: InUnit = "") -> None:
    """Give a member another role. Nobody gives, or takes away, more than they hold; the last owner stays one."""
    from shared.cli import directory

    org, (kind, place) = session.organisation, _place(session, in_project, in_unit)
    user, ref = directory.member_id(org, member), directory.role_ref(org, role)
    if kind == "project":
        changed = org.put_project_member(place, user, ref)
    elif kind == "unit":
        changed = org.put_unit_member(place, user, ref)
    else:
        changed = org.change_member(user, ref)
    session.output.result(changed, f"{member} has the role {role}{_words(in_project, in_unit)} now.")


def suspend(session: Session, member: Person) -> None:
    """Take all rights from a member, and from their keys, until they are reinstated."""
    changed = session.organisation.suspend(_id(session, member))
    session.output.result(changed, f"{member} may do nothing until reinstated.")


def reinstate(session: Session, member: Person) -> None:
    """Give a suspended member back what they held."""
    changed = session.organisation.reinstate(_id(session, member))
    session.output.result(changed, f"{member} holds again what they held.")


def remove(
    session: Session, member: Person, in_project: InProject = "", in_unit: InUnit = "", yes: Sure = False
) -> None:
    """End a membership, with those in units and projects and with the member's keys; or only that in one of them."""
    org, (kind, place) = session.organisation, _place(session, in_project, in_unit)
    user = _id(session, member)
    confirm(yes, f"Remove {member}{_words(in_project, in_unit)}?")
    if kind == "project":
        org.remove_project_member(place, user)
    elif kind == "unit":
        org.remove_unit_member(place, user)
    else:
        org.remove_member(user)
    words = f"{member} has no role{_words(in_project, in_unit)} any more." if kind else f"{member} is no member now."
    session.output.result({"user_id": user, "removed": True}, words)


def _place(session: Session, in_project: str, in_unit: str) -> tuple[str, str]:
    """Where a role is held: 'project' or 'unit' with its id; twice nothing for the whole organisation."""
    from shared.cli import directory, names

    if in_project and in_unit:
        raise CliError("a role is held in a unit or in a project, not in both", code="usage")
    if in_project:
        return "project", names.project_id(session.client, in_project)
    return ("unit", directory.unit_id(session.organisation, in_unit)) if in_unit else ("", "")


def _words(in_project: str, in_unit: str) -> str:
    return f" in {in_project or in_unit}" if in_project or in_unit else ""


def _id(session: Session, member: str) -> str:
    from shared.cli.directory import member_id

    return member_id(session.organisation, member)


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List members; invite, remove or give roles.", rich_markup_mode=None)
    group_default(group)(list_members)
    for body in (invite, role, suspend, reinstate, remove):
        api_command(group)(body)
    app.add_typer(group, name="members", rich_help_panel=PANEL)
