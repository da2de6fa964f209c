"""Commands about ingestion runs: list, show, watch, cancel, retry what failed."""

from itertools import islice
from typing import Annotated

import typer

from shared.cli import names
from shared.cli.commands.documents import PANEL
from shared.cli.errors import CliError
from shared.cli.options import api_command, group_default
from shared.cli.output import Column, Output
from shared.cli.pipeline import title
from shared.cli.plain import age, moment, number, one_line, plural
from shared.cli.session import Session
from shared.cli.shapes.ingestions import ErrorGroup, Ingestion, IngestionEvent, Progress

LATEST = "latest"
Which = Annotated[str, typer.Argument(metavar="INGESTION", help="Its id; by default the latest one.")]


def list_ingestions(
    session: Session,
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", metavar="NAME", help="Only of this collection.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="How many at most.", min=1)] = 20,
) -> None:
    """List ingestion runs, newest first; `show`, `watch`, `cancel` and `retry` concern one."""
    within = names.collection(session.api, collection)["id"] if collection else ""
    found = list(islice(session.api.ingestions(collection_id=within), limit))
    if session.json:
        session.output.value(found)
        return
    rows = [(one["name"], one["status"], age(one["created_at"]), one["id"]) for one in found]
    columns = [
        Column("Ingestion", flexible=True, style="bold"),
        Column("Status"),
        Column("Age", right=True),
        Column("Id", style="dim"),
    ]
    session.output.table(columns, rows, empty="There are no ingestions yet. lambent ingest FOLDER makes one.")


def show(session: Session, ingestion: Which = LATEST) -> None:
    """Show one run: how far it is, what it took, what failed and why."""
    found = session.api.ingestion(chosen(session, ingestion))
    if session.json:
        session.output.value(found)
    else:
        show_run(session.output, found)


def watch(session: Session, ingestion: Which = LATEST) -> None:
    """Tell what happens in a run until it has ended. Exit code 1 when documents failed."""
    which = chosen(session, ingestion)
    for event in session.api.watch(which):
        if session.json:
            session.output.event(event)
        else:
            session.output.line(told(event))
    found = session.api.ingestion(which)
    if not session.json:
        show_run(session.output, found)
    if found.get("progress", {}).get("errors"):
        raise typer.Exit(1)


def cancel(session: Session, ingestion: Which = LATEST) -> None:
    """End what has not ended; what is indexed stays."""
    found = session.api.cancel_ingestion(chosen(session, ingestion))
    if session.json:
        session.output.value(found)
    else:
        session.output.line(f"{found['name']}: {found['status']}. See how it does: lambent ingestions show")


def retry(session: Session, ingestion: Which = LATEST) -> None:
    """Take every failed document of a run up again."""
    which = chosen(session, ingestion)
    failed = _failed(session.api.ingestion(which))
    found = session.api.retry_ingestion(which)
    if session.json:
        session.output.value(found)
    elif failed:
        session.output.line(f"{plural(failed, 'document')} taken up again. Watch it: lambent ingestions watch {which}")
    else:
        session.output.line("Nothing failed in this run.")


def chosen(session: Session, wanted: str) -> str:
    """The id that was given, or that of the latest run.

    Raises:
        CliError: it is no id, or there is no run yet.
    """
    if wanted != LATEST:
        known = names.as_id(wanted)
        if known is None:
            raise CliError(f"{wanted!r} is no id", code="usage", hint="lambent ingestions lists them")
        return known
    for one in session.api.ingestions():
        return one["id"]
    raise CliError("there are no ingestions yet", code="no_ingestion", hint="lambent ingest FOLDER")


def show_run(output: Output, found: Ingestion) -> None:
    """A run in words."""
    output.line(one_line(found["name"]), "bold")
    progress = found.get("progress")
    output.facts(
        [
            ("id", found["id"]),
            ("status", found["status"]),
            *(_facts(progress) if progress else ()),
            ("started", moment(found["created_at"])),
            ("ended", moment(found["completed_at"]) if found["completed_at"] else ""),
        ]
    )
    rows = [_error_row(error) for error in (progress["errors"] if progress else ())]
    if rows:
        output.line()
        columns = [
            Column("Code"),
            Column("Documents", right=True),
            Column("Such as", tail=True),
            Column("Why", wraps=True),
        ]
        output.table(columns, rows)
        output.note(f"lambent ingestions retry {found['id']} takes up what can be repeated.")


def _error_row(error: ErrorGroup) -> tuple[str, str, str, str]:
    example = next(iter(error["examples"]), None)
    shown = (example["name"], example["detail"]) if example else ("", "")
    return error["code"], number(error["documents"]), *shown


def told(event: IngestionEvent) -> str:
    """An event in a line."""
    data = event["data"]
    about = one_line(str(data.get("path") or data.get("name") or ""))
    more = str(data.get("detail") or (plural(int(data["chunks"]), "chunk") if "chunks" in data else ""))
    return f"{event['number']:>6}  {event['kind']:<20} {about}  {more}".rstrip()


def _facts(progress: Progress) -> list[tuple[str, str]]:
    states = {**progress["states"], **({"cancelled": progress["cancelled"]} if progress["cancelled"] else {})}
    cost = progress["cost"]
    embedded = f"{number(cost['embedded'])} embedded, {number(cost['reused'])} known already"
    return [
        ("progress", f"{progress['fraction']:.0%} of {plural(progress['documents'], 'document')}"),
        ("documents", ", ".join(f"{number(count)} {title(state).lower()}" for state, count in states.items())),
        ("cost", f"{plural(cost['chunks'], 'chunk')} ({embedded}), {plural(cost['tokens'], 'token')} of text embedded"),
    ]


def _failed(found: Ingestion) -> int:
    return sum(one["documents"] for one in found["progress"]["errors"]) if "progress" in found else 0


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List ingestion runs; show, watch, cancel or retry one.", rich_markup_mode=None)
    group_default(group)(list_ingestions)
    for command in (show, watch, cancel, retry):
        api_command(group)(command)
    app.add_typer(group, name="ingestions", rich_help_panel=PANEL)
