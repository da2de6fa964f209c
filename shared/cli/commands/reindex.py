"""Commands about making a collection's index anew."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.cli.commands.documents import PANEL
from shared.cli.errors import CliError
from shared.cli.names import collection
from shared.cli.options import api_command
from shared.cli.output import Column
from shared.cli.plain import age, number
from shared.cli.session import Session
from shared.cli.shapes.reindexing import IndexSettings, Reindex, ReindexPlan

Name = Annotated[str, typer.Argument(metavar="COLLECTION", help="Its name or id.")]
ASKED_AGAIN = 2.0
"""Seconds between two requests for a cut that waits for what is being uploaded."""
WAITS = 180
"""Seconds it is asked for: the API lets uploads wait for a cut less long, and then says no."""
WAYS = ("model", "chunking", "reader", "pipeline")


def plan(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="[COLLECTION]", help="Its name or id; left out: all of them.")] = "",
) -> None:
    """Tell what is stale: indexed by another model, cut, reader or pipeline than now."""
    chosen = [collection(session.api, name)] if name else list(session.api.collections())
    plans = [session.api.reindex_plan(one["id"]) for one in chosen]
    if session.json:
        session.output.value(plans)
        return
    columns = [
        Column("Collection", flexible=True, style="bold"),
        *(Column(title, right=True) for title in ("Documents", "Stale", "Tokens")),
        Column("Because of", flexible=True),
        Column("Would become", flexible=True),
    ]
    session.output.table(columns, [_row(one) for one in plans], empty="There are no collections yet.")


def start(
    session: Session,
    name: Name,
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="One this deployment has; else its present one.")
    ] = "",
    size: Annotated[int, typer.Option("--chunk-size", min=0, help="Tokens a chunk; else as now.")] = 0,
    overlap: Annotated[int, typer.Option("--chunk-overlap", min=0, help="Tokens two chunks share.")] = 0,
    documents: Annotated[int, typer.Option("--documents-per-day", min=0, help="Budget; 0: no limit.")] = 0,
    tokens: Annotated[int, typer.Option("--tokens-per-day", min=0, help="Budget; 0: no limit.")] = 0,
    automatic: Annotated[
        bool, typer.Option("--automatic", help="Search it as soon as it is ready and scores no worse.")
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard-previous", help="Give up the index that is kept for a rollback.")
    ] = False,
) -> None:
    """Build a new index beside the one that is searched."""
    body: dict[str, object] = {
        "collection_id": collection(session.api, name)["id"],
        "model": model,
        "budget": {"documents_per_day": documents, "tokens_per_day": tokens},
        "automatic": automatic,
        "discard_previous": discard,
    }
    if size:
        body["chunking"] = {"size": size, "overlap": overlap}
    _told(session, session.api.start_reindex(body), f"lambent reindex status {name}")


def status(session: Session, name: Name) -> None:
    """Tell where the indexes of a collection are, and how the newest compares."""
    found = session.api.reindexes(collection(session.api, name)["id"])
    found[:1] = [session.api.reindex(found[0]["id"])]
    if session.json:
        session.output.value(found)
        return
    columns = [
        Column("State", style="bold"),
        Column("Made by", flexible=True),
        Column("In step", right=True),
        Column("nDCG@10", right=True),
        Column("Age", right=True),
        Column("Id", style="dim"),
    ]
    session.output.table(columns, [_status(one) for one in found])
    if found[0]["problem"]:
        session.output.warn(found[0]["problem"])


def promote(
    session: Session,
    name: Name,
    despite: Annotated[
        bool, typer.Option("--despite-failures", help="Also when documents failed in it: they are not found then.")
    ] = False,
) -> None:
    """Search the new index from now on; the old one is kept for a rollback."""
    chosen = _beside(session, name)["id"]
    promoted = _insisting(lambda: session.api.promote(chosen, despite_failures=despite), lambda state: state == "live")
    _told(session, promoted, f"lambent reindex rollback {name}")


def rollback(session: Session, name: Name) -> None:
    """Give up the new index, or search the one before it again."""
    found = session.api.reindexes(collection(session.api, name)["id"])
    unfinished = [one for one in found if one["state"] in ("building", "ready")]
    chosen = unfinished or [one for one in found if one["state"] == "live"]
    undone = _insisting(lambda: session.api.roll_back(chosen[0]["id"]), lambda state: state != "live")
    _told(session, undone, f"lambent reindex status {name}")


def questions(
    session: Session,
    name: Name,
    file: Annotated[
        Path | None,
        typer.Argument(help='JSON lines: {"text": …, "expected": [{"document_id": …, "start": …, "end": …}]}'),
    ] = None,
) -> None:
    """Show the questions that a collection's indexes are scored by, or set them from a file."""
    wanted = collection(session.api, name)["id"]
    if file is None:
        found = session.api.questions(wanted)
    else:
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        found = session.api.ask_questions(wanted, [_question(line) for line in lines])
    if session.json:
        session.output.value(found)
        return
    rows = [(one["text"], number(len(one["expected"]))) for one in found]
    empty = "None of its own: they are made from its documents."
    session.output.table([Column("Question", flexible=True), Column("Places", right=True)], rows, empty=empty)


def _insisting(ask: Callable[[], Reindex], done: Callable[[str], bool]) -> Reindex:
    """Ask for a cut until it has come: while documents are on their way, the API only makes room for it."""
    until = time.monotonic() + WAITS
    while not done((found := ask())["state"]) and time.monotonic() < until:
        time.sleep(ASKED_AGAIN)
    return found


def _question(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise CliError(f"not JSON: {line[:80]}", code="bad_question", hint="one JSON object a line") from error
    if not isinstance(found, dict):
        raise CliError(f"no JSON object: {line[:80]}", code="bad_question", hint="one JSON object a line")
    return found


def _beside(session: Session, name: str) -> Reindex:
    """The newest index that could take over, else the newest at all, about which the API says why not."""
    found = session.api.reindexes(collection(session.api, name)["id"])
    return next((one for one in found if one["state"] in ("ready", "building", "retired")), found[0])


def _told(session: Session, one: Reindex, then: str) -> None:
    if session.json:
        session.output.value(one)
    else:
        session.output.line(f"{one['id']} is {one['state']}: {_settings(one['settings'])}")
        session.output.note(f"Then: {then}")


def _status(one: Reindex) -> tuple[str, ...]:
    progress, scores = one.get("progress"), one["scores"]
    step = f"{progress['in_step']} of {progress['documents']}" if progress and progress["documents"] else "-"
    if progress and progress["failed"]:
        step += f", {progress['failed']} failed"
    old = f"{scores['old']['ndcg']:.3f} -> " if scores and scores["old"] else ""
    ndcg = f"{old}{scores['new']['ndcg']:.3f}" if scores else "-"
    return (one["state"], _settings(one["settings"]), step, ndcg, age(one["created_at"]), one["id"])


def _row(one: ReindexPlan) -> tuple[str, ...]:
    why = ", ".join(f"{way} {number(count)}" for way, count in _ways(one) if count) or "-"
    becomes = _settings(one["target"]) if one["needed"] else "-"
    return (one["name"], number(one["documents"]), number(one["stale"]), number(one["tokens"]), why, becomes)


def _ways(one: ReindexPlan) -> list[tuple[str, int]]:
    return list(zip(WAYS, (one["model"], one["chunking"], one["reader"], one["pipeline"]), strict=True))


def _settings(of: IndexSettings) -> str:
    return f"{of['model']}, {of['method']} {of['size']}/{of['overlap']}"


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="Make a collection's index anew beside the old one.", rich_markup_mode=None)
    for body in (plan, start, status, promote, rollback, questions):
        api_command(group)(body)
    app.add_typer(group, name="reindex", rich_help_panel=PANEL)
