"""Commands about documents: list, look, explain, read, download, delete, process again."""

import json
from enum import StrEnum
from itertools import islice
from typing import Annotated

import typer

from shared.cli import names
from shared.cli.errors import CliError
from shared.cli.options import api_command
from shared.cli.output import Column, Output
from shared.cli.pipeline import told
from shared.cli.plain import age, moment, number, one_line, plural, size
from shared.cli.session import Session
from shared.cli.shapes.documents import Document, Explanation, Version

PANEL = "Documents"
STATUS_STYLES = {
    "indexed": "green",
    "failed": "red",
    "processing": "yellow",
    "awaiting_upload": "yellow",
    "deleting": "dim",
}


class Status(StrEnum):
    """What a document may be listed by."""

    AWAITING_UPLOAD = "awaiting_upload"
    PROCESSING = "processing"
    INDEXED = "indexed"
    FAILED = "failed"


Which = Annotated[str, typer.Argument(metavar="DOCUMENT", help="Its path, name or id.")]
Within = Annotated[
    str | None, typer.Option("--collection", "-c", metavar="NAME", help="The collection it is in, where names repeat.")
]


def documents(
    session: Session,
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", metavar="NAME", help="Only of this collection.")
    ] = None,
    status: Annotated[Status | None, typer.Option("--status", help="Only these.")] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag", metavar="TAG", help="Only with this tag; repeat for several, all of which must be there."
        ),
    ] = None,
    filter: Annotated[
        str,
        typer.Option(
            "--filter", metavar="JSON", help='A filter as JSON: {"field": "metadata.year", "op": "ge", "value": 2024}'
        ),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="How many at most; 0 for all.", min=0)] = 50,
) -> None:
    """List documents, newest first."""
    api = session.api
    within = names.collection(api, collection)["id"] if collection else ""
    wanted = both([parse_filter(filter), *({"field": "tags", "op": "contains", "value": one} for one in tag or [])])
    rows = api.documents(
        collection_id=within,
        status=status.value if status else "",
        filter=wanted,
        page=min(limit + 1, 200) if limit else 200,
    )
    found = list(islice(rows, limit + 1) if limit else rows)
    shown = found[:limit] if limit else found
    if session.json:
        session.output.value(shown)
        return
    _list(session.output, shown)
    if len(found) > len(shown):
        session.output.note(f"… and more: --limit 0 lists all of them (these are the newest {limit}).")


def parse_filter(text: str) -> object:
    """A filter from the command line; None when there is none.

    Raises:
        CliError: it is not JSON.
    """
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise CliError(
            f"the filter is not JSON: {error}",
            code="invalid_filter",
            hint="""write it so: --filter '{"field": "tags", "op": "contains", "value": "hr"}'""",
        ) from error


def both(conditions: list[object]) -> object:
    """One filter that holds when all of these do; None when there is none."""
    given = [one for one in conditions if one is not None]
    return {"and": given} if len(given) > 1 else next(iter(given), None)


def show_document(session: Session, document: Which, collection: Within = None) -> None:
    """Show one document with the progress of its latest version."""
    found = names.document(session.api, document, collection)
    if session.json:
        session.output.value(found)
    else:
        _show(session.output, found)


def why(session: Session, document: Which, collection: Within = None) -> None:
    """Tell where a document is, since when, what was tried and what happens next."""
    found = session.api.why(names.document_id(session.api, document, collection))
    if session.json:
        session.output.value(found)
    else:
        show_why(session.output, found)


def show_why(output: Output, found: Explanation) -> None:
    """An explanation in words."""
    output.line(found["summary"], "bold")
    output.facts(
        [("status", found["status"].replace("_", " ")), ("since", moment(found["since"])), ("next", found["next"])]
    )
    if len(found["history"]) > 1:
        output.line()
        rows = [(str(one["version"]), one["state"], moment(one["since"]), one["words"]) for one in found["history"]]
        output.table(
            [Column("Version", right=True), Column("State"), Column("Since"), Column("What happened", wraps=True)], rows
        )


def process(session: Session, document: Which, collection: Within = None) -> None:
    """Process a document again from the file it has, with its collection's present settings."""
    wanted = names.document_id(session.api, document, collection)
    version = session.api.process(wanted)
    if session.json:
        session.output.value(version)
    else:
        session.output.line(f"Version {version['version']} is on its way. See how it does: lambent why {wanted}")


def _list(output: Output, found: list[Document]) -> None:
    rows = [
        (
            *(one["path"] or one["name"], one["status"].replace("_", " "), _version(one)),
            *(size(one["size"]), ", ".join(one["tags"]), age(one["updated_at"]), one["id"]),
        )
        for one in found
    ]
    columns = [
        Column("Document", tail=True, style="bold"),
        Column("Status"),
        Column("Version"),
        Column("Size", right=True),
    ]
    tags = [Column("Tags", flexible=True)]
    output.table(
        [*columns, *tags, Column("Age", right=True), Column("Id", style="dim")],
        rows,
        empty="No documents. lambent ingest FOLDER adds some.",
    )


def _version(one: Document) -> str:
    """'3', or '3 (4 not yet)' while a newer one is on its way, or after it failed."""
    served, latest = one["version"], one["latest_version"]
    if served is None or served == latest:
        return str(latest)
    return f"{served} ({latest} not yet)"


def _show(output: Output, one: Document) -> None:
    output.line(one_line(one["title"] or one["name"]), "bold")
    latest = one.get("latest")
    counts = latest["counts"] if latest else None
    output.facts(
        [
            ("id", one["id"]),
            ("path", one["path"]),
            ("name", one["name"]),
            ("status", one["status"].replace("_", " ")),
            ("version", f"{one['version'] or 'none'} is searched, {one['latest_version']} is the latest"),
            ("type", one["media_type"]),
            ("language", one["language"]),
            ("size", size(one["size"])),
            ("content", "" if counts is None else _contents(counts["pages"], counts["characters"], counts["chunks"])),
            ("tags", ", ".join(one["tags"])),
            ("metadata", json.dumps(one["metadata"], ensure_ascii=False) if one["metadata"] else ""),
            ("duplicate of", one["duplicate_of"] or ""),
            ("created", moment(one["created_at"])),
            ("updated", moment(one["updated_at"])),
            *(_progress(latest) if latest else ()),
        ]
    )


def _progress(latest: Version) -> list[tuple[str, str]]:
    return [
        ("latest", f"{latest['state'].replace('_', ' ')} since {moment(latest['since'])}"),
        ("progress", _of(latest)),
        ("waiting", latest["waiting"]),
        ("failure", "" if latest["failure"] is None else latest["failure"]["detail"]),
        ("times", told(latest["timings"])),
        ("warnings", "\n".join(latest["warnings"])),
    ]


def _of(latest: Version) -> str:
    progress = latest["progress"]
    if progress is None:
        return ""
    unit = "pages" if latest["state"] == "extracting" else "chunks"
    return f"{number(progress['done'])} of {number(progress['total'])} {unit}"


def _contents(pages: int, characters: int, chunks: int) -> str:
    of_pages = f"{plural(pages, 'page')}, " if pages else ""
    return f"{of_pages}{number(characters)} characters, {plural(chunks, 'chunk')}" if characters else ""


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    from shared.cli.commands import files, recovery

    api_command(app, panel=PANEL)(documents)
    api_command(app, "document", panel=PANEL)(show_document)
    api_command(app, panel=PANEL)(why)
    files.declare(app, PANEL)
    api_command(app, panel=PANEL)(process)
    recovery.declare(app, PANEL)
