"""The command about the audit trail: who did what, on what, from where and when."""

import time
from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer

from shared.cli.commands.account import PANEL
from shared.cli.options import api_command
from shared.cli.output import Column
from shared.cli.plain import moment
from shared.cli.session import Session
from shared.cli.shapes.organisations import AuditEvent

FOLLOW_SECONDS = 2.0
_wait = time.sleep

Action = Annotated[
    str, typer.Option("--action", metavar="NAME", help="member.removed, or member for whatever happens to one.")
]
Actor = Annotated[str, typer.Option("--actor", metavar="WHO", help="A member's address, or user:ID, api_key:ID.")]
Subject = Annotated[str, typer.Option("--subject", metavar="KIND[:ID]", help="What it was done to: role, member:ID.")]
InProject = Annotated[str, typer.Option("--in-project", metavar="PROJECT", help="Only what concerns this project.")]
Since = Annotated[str, typer.Option("--since", metavar="WHEN", help="From then on: 2h, 7d, 2026-03-02.")]
Until = Annotated[str, typer.Option("--until", metavar="WHEN", help="Before then.")]
Limit = Annotated[int, typer.Option("--limit", "-n", metavar="N", help="How many at most.", min=1)]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")]


def audit(
    session: Session,
    action: Action = "",
    actor: Actor = "",
    subject: Subject = "",
    in_project: InProject = "",
    since: Since = "",
    until: Until = "",
    limit: Limit = 50,
    follow: Follow = False,
) -> None:
    """Show who did what, newest first; with --follow the newest last, a line for each as it happens."""
    from shared.cli import moments, names

    kind, _, id = subject.partition(":")
    asked = {
        "action": action,
        "actor": _actor(session, actor),
        "subject_kind": kind,
        "subject_id": id,
        "project_id": names.project_id(session.client, in_project) if in_project else "",
        "since": moments.moment(since, "--since", ahead=False) if since else "",
        "until": moments.moment(until, "--until", ahead=False) if until else "",
    }
    wanted = {name: value for name, value in asked.items() if value}
    found = list(islice(session.organisation.audit(wanted), limit))
    if follow:
        _follow(session, wanted, found)
        return
    people = {} if session.json else _people(session)
    rows = [_row(one, people) for one in found]
    columns = [
        Column("When"),
        Column("What", style="bold"),
        Column("Who", flexible=True),
        Column("On", flexible=True),
        Column("Details", flexible=True, spare=True),
        Column("From", flexible=True, spare=True, style="dim"),
    ]
    session.output.listing(found, columns, rows, empty="Nothing of that kind was done.")


def _follow(session: Session, wanted: dict[str, str], found: list[AuditEvent]) -> None:
    people = {} if session.json else _people(session)
    try:
        for one in _as_they_come(session, wanted, found):
            if session.json:
                session.output.event(one)
            else:
                session.output.line("  ".join(part for part in _row(one, people) if part))
    except KeyboardInterrupt:
        return


def _as_they_come(session: Session, wanted: dict[str, str], found: list[AuditEvent]) -> Iterator[AuditEvent]:
    """Those that were found, then every further one once, in the order they happened."""
    seen = {one["id"] for one in found}
    yield from reversed(found)
    latest = found[0]["at"] if found else wanted.get("since", "")
    while True:
        _wait(FOLLOW_SECONDS)
        # From the moment of the last one, not after it: others of that moment may be written later.
        later = list(session.organisation.audit({**wanted, "since": latest} if latest else wanted))
        new = [one for one in reversed(later) if one["id"] not in seen]
        yield from new
        seen |= {one["id"] for one in new}
        latest = later[0]["at"] if later else latest


def _actor(session: Session, given: str) -> str:
    if "@" not in given:
        return given
    from shared.cli.directory import member_id

    return f"user:{member_id(session.organisation, given)}"


def _people(session: Session) -> dict[str, str]:
    """Addresses of the members by the name that events have for them, as far as they may be seen."""
    from shared.cli.errors import ApiProblem

    try:
        return {f"user:{one['user_id']}": one.get("email", "") for one in session.organisation.members()}
    except ApiProblem as problem:
        if problem.status != 403:
            raise
        return {}


def _row(one: AuditEvent, people: dict[str, str]) -> tuple[str, ...]:
    details = ", ".join(f"{name} {_said(value)}" for name, value in one["details"].items())
    after = one["details"].get("after")
    name = str(after.get("name", "")) if isinstance(after, dict) else ""
    subject = people.get(f"user:{one['subject_id']}") or f"{one['subject_kind']} {name or one['subject_id']}"
    when = moment(one["at"]).removesuffix(" UTC")
    return when, one["action"], people.get(one["actor"]) or one["actor"], subject, details, one["address"]


def _said(value: object) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {_said(one)}" for name, one in value.items()) + ")"
    if isinstance(value, list):
        return " ".join(_said(one) for one in value)
    return "-" if value is None else str(value)


def declare(app: typer.Typer) -> None:
    """Add this command."""
    api_command(app, panel=PANEL)(audit)
