"""The command that brings files in."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.cli import names
from shared.cli.commands.documents import PANEL
from shared.cli.errors import ApiProblem, CliError
from shared.cli.options import api_command
from shared.cli.output import Output
from shared.cli.plain import one_line, shortened
from shared.cli.session import Session
from shared.cli.shapes.rooms import Collection

if TYPE_CHECKING:
    from shared.cli.api import Api
    from shared.cli.ingestion import Ingestion
    from shared.cli.outcomes import Outcome
    from shared.cli.sources import Source

DEFAULT_COLLECTION = "default"

Paths = Annotated[list[Path], typer.Argument(metavar="PATH", help="Files, and folders with all that is below them.")]
Into = Annotated[str, typer.Option("--collection", "-c", metavar="NAME", help="Where they go; made when missing.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="A tag for each; repeatable.")]
Metadata = Annotated[
    list[str] | None,
    typer.Option(
        "--metadata",
        "-m",
        metavar="NAME=VALUE",
        help="name=value for each; numbers, true and false are read as such. Repeatable.",
    ),
]
Base = Annotated[
    Path | None,
    typer.Option(
        "--base", metavar="FOLDER", help="Name documents by their path from this folder.", file_okay=False, exists=True
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", metavar="N", help="Files sent at a time.", min=1, max=64)]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until each is indexed or has failed.")]
Patience = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="Seconds to wait while nothing moves.", min=1)
]


def ingest(
    session: Session,
    paths: Paths,
    collection: Into = DEFAULT_COLLECTION,
    tag: Tags = None,
    metadata: Metadata = None,
    base: Base = None,
    jobs: Jobs = 8,
    wait: Wait = True,
    timeout: Patience = 1800.0,
) -> None:
    """Send files and folders in and watch each until it is indexed or has failed.

    A document is named by its path: below a folder that was given it is folder/path/within, a file alone goes by its
    name. The same path again makes a new version; a file that has not changed is not sent. Exit code 1 when any failed.
    """
    from shared.cli.ingest_summary import as_json, left_out, show_summary
    from shared.cli.ingestion import Ingestion
    from shared.cli.outcomes import Labels, failed
    from shared.cli.progress import watching
    from shared.cli.sources import collect

    labels = Labels(tag or [], parse_metadata(metadata or []))
    found = collect(paths, base)
    if not found.files:
        raise CliError(
            f"there is nothing to ingest{f'; passed over: {left_out(found)}' if found.passed_over else ''}",
            code="nothing_to_ingest",
            hint="name a file itself to send it in any case",
        )
    target = collection_for(session.api, collection)
    began = time.monotonic()
    with watching(session.output) as watcher:
        name = shortened(one_line(", ".join(path.name or str(path) for path in paths)), 255)
        run = Ingestion(session.api, target["id"], labels, watcher, name=name, jobs=jobs, patience=timeout)
        outcomes = _run(session.output, run, found.files, wait_for_index=wait)
    took = time.monotonic() - began
    if session.json:
        session.output.value(as_json(target, run.id, outcomes, took, found))
    else:
        show_summary(session.output, target, outcomes, took)
        session.output.note(f"The whole of it: lambent ingestions show {run.id}")
        if found.passed_over:
            session.output.note(f"Passed over: {left_out(found)}.")
    if failed(outcomes):
        raise typer.Exit(1)


def collection_for(api: "Api", wanted: str) -> Collection:
    """The collection of this name or id; a name that is not there is made.

    Raises:
        CliError: there is no collection of this id.
    """
    found = names.find_collection(api, wanted)
    if found is not None:
        return found
    if names.as_id(wanted):
        return names.collection(api, wanted)
    try:
        return api.create_collection(wanted)
    except ApiProblem as problem:
        if problem.status != 409:
            raise
        # Someone else made it in this moment.
        return names.collection(api, wanted)


def parse_metadata(given: Sequence[str]) -> dict[str, object]:
    """Metadata from name=value; a value that JSON reads as a number, true or false is one; in double quotes it is text.

    Raises:
        CliError: there is no '='.
    """
    parsed: dict[str, object] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name:
            raise CliError(f"--metadata expects name=value, got {one!r}", code="usage", hint="lambent ingest --help")
        parsed[name.strip()] = _value(text)
    return parsed


def _run(output: Output, run: "Ingestion", files: "Sequence[Source]", *, wait_for_index: bool) -> "list[Outcome]":
    try:
        return run.run(files, wait_for_index=wait_for_index)
    except KeyboardInterrupt:
        output.note("Stopped. What was sent is processed without us: lambent documents --status processing", "")
        if run.id:
            output.note(f"Follow it with lambent ingestions watch {run.id}, end it with lambent ingestions cancel.", "")
        raise


def _value(text: str) -> object:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float | str) else text


def declare(app: typer.Typer) -> None:
    """Add this command."""
    api_command(app, panel=PANEL)(ingest)
