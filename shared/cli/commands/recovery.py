"""Commands about what waits or went wrong: look at it, retry what failed."""

from typing import Annotated

import typer

from shared.cli import names
from shared.cli.errors import ApiProblem, CliError
from shared.cli.options import api_command
from shared.cli.output import Column, Output
from shared.cli.plain import age, moment, number, plural
from shared.cli.session import Session
from shared.cli.shapes.documents import Reason, Refused, Started, Version
from shared.cli.shapes.health import Waiting, WaitingOne
from shared.cli.views import show_queues

RUNNING = frozenset({"queued", "extracting", "chunking", "embedding", "publishing"})


def retry(
    session: Session,
    documents: Annotated[
        list[str] | None, typer.Argument(metavar="[DOCUMENT]...", help="Their paths, names or ids.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All whose latest version failed.")] = False,
    reason: Annotated[
        str, typer.Option("--reason", metavar="CODE", help="With --failed: only those that failed for this reason.")
    ] = "",
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", metavar="NAME", help="Only of this collection.")
    ] = None,
) -> None:
    """Take up failed documents again, each from the furthest step that can be repeated. Twice starts one."""
    if bool(documents) == failed or (reason and not failed):
        raise CliError(
            "name documents, or say --failed (which --reason may narrow)", code="usage", hint="lambent retry --failed"
        )
    started, refused = _failed(session, reason, collection) if failed else _named(session, documents or [], collection)
    if session.json:
        session.output.value({"started": started, "refused": refused})
    else:
        _tell(session, started, refused)
    if refused and not failed:
        raise typer.Exit(1)


def _failed(session: Session, reason: str, collection: str | None) -> tuple[list[Started], list[Refused]]:
    within = names.collection(session.api, collection)["id"] if collection else ""
    started: list[Started] = []
    refused: list[Refused] = []
    for part in session.api.retry_failed(collection_id=within, reason=reason):
        started += part["started"]
        refused += part["refused"]
    return started, refused


def _named(session: Session, wanted: list[str], collection: str | None) -> tuple[list[Started], list[Refused]]:
    started: list[Started] = []
    refused: list[Refused] = []
    for one in wanted:
        document_id = names.document_id(session.api, one, collection)
        try:
            version = session.api.retry(document_id)
        except ApiProblem as problem:
            if problem.status != 409:
                raise
            refused.append({"document_id": document_id, "reason": {"code": problem.code, "detail": problem.detail}})
            continue
        if version["state"] in RUNNING:
            started.append({"document_id": document_id, "version": version["version"], "state": version["state"]})
        else:
            refused.append({"document_id": document_id, "reason": _not_failed(version)})
    return started, refused


def _not_failed(version: Version) -> Reason:
    state = version["state"].replace("_", " ")
    return {"code": "not_failed", "detail": f"version {version['version']} did not fail: it is {state}"}


def _tell(session: Session, started: list[Started], refused: list[Refused]) -> None:
    output = session.output
    if not started and not refused:
        output.note("Nothing has failed.", "")
    if started:
        begun = ", ".join(
            f"{sum(one['state'] == state for one in started)} from {state}"
            for state in sorted({one["state"] for one in started})
        )
        output.line(f"{plural(len(started), 'document')} on their way again ({begun}).")
        output.note("See how one does: lambent why DOCUMENT", "")
    if refused:
        output.line(f"{plural(len(refused), 'document')} that a retry does not help:")
        rows = [(one["document_id"], one["reason"]["code"], one["reason"]["detail"]) for one in refused]
        output.table([Column("Id", style="dim"), Column("Code"), Column("Why", wraps=True)], rows)


def waiting(session: Session) -> None:
    """Show everything that waits and why: by step and reason, the longest first, queues, dead letters."""
    found = session.api.waiting()
    if session.json:
        session.output.value(found)
    else:
        _show(session.output, found)


def _show(output: Output, found: Waiting) -> None:
    numbers = [Column(title, right=True) for title in ("Versions", "Oldest", "Overdue", "Leased")]
    lines = [
        (
            one["state"].replace("_", " "),
            one["reason"] or "its turn",
            *(number(one["count"]), age(one["oldest"]), number(one["overdue"]), number(one["leased"])),
        )
        for one in found["lines"]
    ]
    output.table([Column("Step"), Column("Waits for", wraps=True), *numbers], lines, empty="Nothing waits.")
    if found["longest"]:
        output.line()
        columns = [Column("Waiting longest", tail=True, style="bold"), Column("Step"), Column("For", right=True)]
        more = [Column("Tries", right=True), Column("Held until"), Column("Due"), Column("Why", wraps=True)]
        output.table([*columns, *more], [_one(one) for one in found["longest"]])
    if found["failed"]:
        output.line()
        failed = sorted(found["failed"].items(), key=lambda one: -one[1])
        output.table([Column("Failed"), Column("Documents", right=True)], [(code, number(n)) for code, n in failed])
        output.note("lambent retry --failed takes up what can be repeated.", "")
    if found["deleting"]:
        output.line(f"{plural(found['deleting'], 'document')} being removed from every store.")
    if found["unsent"]["count"]:
        output.warn(f"{plural(found['unsent']['count'], 'message')} left unsent; the sweep sends them within a minute")
    if found["runs"]:
        output.line()
        columns = [Column("Run"), Column("Status"), Column("What is in its way", wraps=True)]
        output.table(columns, [(one["name"] or one["id"], one["status"], one["trouble"]) for one in found["runs"]])
    show_queues(output, found["queues"])
    if found["queues_unknown"]:
        output.warn(f"the queues could not be looked at: {found['queues_unknown']}")


def _one(one: WaitingOne) -> tuple[str, ...]:
    return (
        *(one["name"], one["state"].replace("_", " "), age(one["since"]), number(one["attempts"])),
        moment(one["leased_until"]) if one["leased_until"] else "",
        moment(one["due_at"]) if one["due_at"] else "",
        one["waiting"] or one["last_error"],
    )


def declare(app: typer.Typer, panel: str) -> None:
    """Add these commands."""
    api_command(app, panel=panel)(retry)
    api_command(app, panel=panel)(waiting)
