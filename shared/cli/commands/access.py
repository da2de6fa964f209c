"""Commands about access lists: who may read a document or a collection, and why."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from shared.cli import names
from shared.cli.commands.account import PANEL
from shared.cli.errors import CliError
from shared.cli.options import api_command
from shared.cli.output import Column
from shared.cli.plain import moment
from shared.cli.session import Session

if TYPE_CHECKING:
    from shared.cli.organisation import Organisation
    from shared.cli.shapes.organisations import AccessList

EVERYONE = "everyone"
STANDINGS = {"good": "", "stale": "stale: it admits nobody until it is set again", "unknown": "unknown: nobody reads"}

Which = Annotated[
    str, typer.Argument(metavar="DOCUMENT", help="Its path, name or id; without, the collection that is named.")
]
Room = Annotated[str, typer.Option("--collection", "-c", metavar="NAME", help="The collection, or where to look.")]
Readers = Annotated[
    list[str] | None,
    typer.Option(
        "--reader",
        "-r",
        metavar="WHO",
        help="everyone, user:EMAIL, unit:PATH, role:NAME, service_account:NAME, key:NAME; repeatable.",
    ),
]


def show(session: Session, document: Which = "", collection: Room = "") -> None:
    """Show who may read a document, or the documents of a collection that have no list of their own."""
    from shared.cli.access_lists import AccessLists

    _tell(session, AccessLists(session.client).get(*_subject(session, document, collection)))


def set_list(
    session: Session,
    document: Which = "",
    collection: Room = "",
    reader: Readers = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="A list that admits nobody.")] = False,
    no_list: Annotated[
        bool, typer.Option("--no-list", help="Take the list away: the collection's counts, or everyone reads.")
    ] = False,
    fresh_until: Annotated[
        str, typer.Option("--fresh-until", metavar="WHEN", help="From then on it admits nobody: 7d, 2026-12-31.")
    ] = "",
) -> None:
    """Say who may read. The list replaces the one before."""
    from shared.cli.access_lists import AccessLists
    from shared.cli.moments import moment as point

    if [bool(reader), nobody, no_list].count(True) != 1:
        raise CliError(
            "say who may read: --reader, repeatable, or --nobody, or --no-list",
            code="usage",
            hint="lambent access set --help",
        )
    body: dict[str, object] = {"readers": None if no_list else [_reader(session, one) for one in reader or []]}
    if fresh_until:
        body["fresh_until"] = point(fresh_until, "--fresh-until", ahead=True)
    kind, id = _subject(session, document, collection)
    found = AccessLists(session.client).set(kind, id, body)
    _tell(session, found)
    if not found["admits_you"]:
        what = "this document" if document else "the documents of this collection that have no list of their own"
        subject = id if document else f"-c {id}"
        session.output.warn(f"the list leaves you out: you do not read {what} any more")
        session.output.note(f"You may still change the list: lambent access set {subject} --no-list takes it away.")


def explain(
    session: Session,
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="Its path, name or id.")],
    user: Annotated[str, typer.Option("--user", "-u", metavar="MEMBER", help="Whose access: address or id.")],
    collection: Room = "",
) -> None:
    """Say in words why somebody can or cannot read a document. Exit code 1 when they cannot."""
    from shared.cli.access_lists import AccessLists
    from shared.cli.directory import member_id

    # Whoever explains asks as a rule about others; who asks about an id needs no list of members.
    who = names.as_id(user) or member_id(session.organisation, user)
    found = AccessLists(session.client).explain(names.document_id(session.api, document, collection or None), who)
    if session.json:
        session.output.value(found)
    else:
        style = "bold green" if found["allowed"] else "bold red"
        session.output.line(f"{user} {'may' if found['allowed'] else 'may not'} read {document}.", style)
        rows = [("yes" if one["passed"] else "NO", one["question"], one["words"]) for one in found["answers"]]
        session.output.table([Column("", style="bold"), Column("Asked"), Column("Answer", wraps=True)], rows)
        if found["hint"]:
            session.output.note(found["hint"], "")
    if not found["allowed"]:
        raise typer.Exit(1)


def _subject(session: Session, document: str, collection: str) -> tuple[str, str]:
    """What has the list: 'documents' or 'collections', and its id."""
    if document:
        return "documents", names.document_id(session.api, document, collection or None)
    if not collection:
        raise CliError("name a document, or a collection with --collection", code="usage", hint="lambent access --help")
    return "collections", names.collection(session.api, collection)["id"]


def _reader(session: Session, text: str) -> dict[str, str]:
    """A reader as the API names it.

    Raises:
        CliError: it is none, or names somebody who is not there.
    """
    from shared.cli import directory

    kind, _, wanted = text.partition(":")
    if text == EVERYONE:
        return {"kind": EVERYONE, "id": ""}
    ways: dict[str, Callable[[Organisation, str], str]] = {
        "user": directory.member_id,
        "unit": directory.unit_id,
        "role": lambda org, name: directory.role_ref(org, name) or "",
        "service_account": lambda org, name: directory.account(org, name)["id"],
        "key": lambda org, name: directory.key(org, name)["id"],
    }
    if kind not in ways or not wanted:
        raise CliError(
            f"{text!r} names no reader",
            code="usage",
            hint=f"write everyone, or one of {', '.join(ways)} with a colon and a name",
        )
    return {"kind": kind, "id": names.as_id(wanted) or ways[kind](session.organisation, wanted)}


def _tell(session: Session, found: "AccessList") -> None:
    if session.json:
        session.output.value(found)
        return
    readers = found["readers"]
    if readers is None and found["standing"] == "good":
        session.output.line("There is no list: everyone of the project may read.")
        return
    own = "of its own" if found["source"] != "collection" else "of its collection"
    session.output.facts(
        [
            ("List", own),
            ("Set", f"{moment(found['set_at'])} by {found['set_by']}"),
            ("Fresh until", moment(found["fresh_until"])),
            ("Standing", STANDINGS[found["standing"]]),
            ("Problem", found["problem"] or ""),
        ]
    )
    session.output.line()
    shown = _named(session, [(one["kind"], one["id"]) for one in readers or []])
    session.output.table(
        [Column("May read"), Column("Who", flexible=True), Column("Id", style="dim", spare=True)], shown
    )
    if not readers:
        session.output.line("Nobody may read.", "bold")


def _named(session: Session, readers: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """Readers with the names people know them by, as far as they may be seen."""
    from shared.cli import directory
    from shared.cli.errors import ApiProblem

    org = session.organisation
    ways: dict[str, Callable[[], dict[str, str]]] = {
        "user": lambda: {one["user_id"]: one.get("email", "") for one in org.members()},
        "unit": lambda: directory.unit_paths(org.units()),
        "role": lambda: {one["id"]: one["name"] for one in org.roles()["items"]},
        "service_account": lambda: {one["id"]: one["name"] for one in org.accounts()},
        "key": lambda: {one["id"]: one["name"] for one in org.keys("")},
    }
    known: dict[str, str] = {}
    for kind in {kind for kind, _ in readers}.intersection(ways):
        try:
            known |= ways[kind]()
        except ApiProblem as problem:
            if problem.status != 403:
                raise
    return [(kind.replace("_", " "), known.get(id, ""), id) for kind, id in readers]


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(
        help="Who may read a document or a collection: show, set, explain.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    api_command(group)(show)
    api_command(group, "set")(set_list)
    api_command(group)(explain)
    app.add_typer(group, name="access", rich_help_panel=PANEL)
