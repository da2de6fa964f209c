"""Commands that take something out: text, the original, the document itself with its receipt."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from shared.cli import names
from shared.cli.errors import CliError
from shared.cli.options import api_command
from shared.cli.output import Column, Output
from shared.cli.plain import moment, safe, size
from shared.cli.session import Session
from shared.cli.shapes.documents import DeletionReceipt

if TYPE_CHECKING:
    from shared.cli.api import Api

Which = Annotated[str, typer.Argument(metavar="DOCUMENT", help="Its path, name or id.")]
Within = Annotated[
    str | None, typer.Option("--collection", "-c", metavar="NAME", help="The collection it is in, where names repeat.")
]
RECEIPT_SECONDS = 180.0
_POLL_SECONDS = (0.2, 0.4, 0.8, 1.5, 3.0)


def text(
    session: Session,
    document: Which,
    collection: Within = None,
    start: Annotated[int, typer.Option("--start", metavar="N", help="First character.", min=0)] = 0,
    end: Annotated[int | None, typer.Option("--end", metavar="N", help="Character after the last.", min=0)] = None,
    version: Annotated[
        int | None,
        typer.Option("--version", metavar="N", help="Of this version; by default the one that is searched.", min=1),
    ] = None,
) -> None:
    """Print the text that was read from a document; citations count its characters."""
    wanted = names.document_id(session.api, document, collection)
    if session.json:
        session.output.value(session.api.text(wanted, start=start, end=end, version=version))
        return
    terminal = sys.stdout.isatty()
    for part in session.api.whole_text(wanted, start=start, end=end, version=version):
        sys.stdout.write(safe(part) if terminal else part)
    if terminal:
        sys.stdout.write("\n")


def download(
    session: Session,
    document: Which,
    collection: Within = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write it; - for standard output. By default its own name, here.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace a file that exists.")] = False,
) -> None:
    """Download the original file of a document."""
    from shared.cli.transfer import download as fetch

    found = names.document(session.api, document, collection)
    link = session.api.download_link(found["id"])
    if output is not None and str(output) == "-":
        fetch(link, sys.stdout.buffer)
        return
    target = output or Path(file_name(found["name"]))
    if target.is_dir():
        target = target / file_name(found["name"])
    if target.exists() and not force:
        raise CliError(
            f"{target} exists", code="exists", hint="choose another with --output, or add --force to replace it"
        )
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as file:
            count = fetch(link, file)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    if session.json:
        session.output.value({"document_id": found["id"], "file": str(target), "bytes": count})
    else:
        session.output.line(f"{target} ({size(count)})")


def file_name(name: str) -> str:
    """A document's name as a file of this folder: a name from elsewhere must not reach another one."""
    last = PurePosixPath(safe(name).replace("\\", "/")).name.lstrip(".")
    return last or "document"


def delete(
    session: Session,
    document: Annotated[list[str], typer.Argument(metavar="DOCUMENT", help="Paths, names or ids.")],
    collection: Within = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the receipts.")] = True,
) -> None:
    """Delete documents and wait for the receipt that proves nothing of them is left."""
    api = session.api
    # All are looked up first: a mistyped name stops the command before anything is gone.
    wanted = list(dict.fromkeys(names.document_id(api, one, collection) for one in document))
    receipts = [api.delete_document(one) for one in wanted]
    if wait:
        receipts = _completed(api, receipts)
    if session.json:
        session.output.value(receipts if len(receipts) > 1 else receipts[0])
    else:
        for typed, one in zip(document, receipts, strict=False):
            show_receipt(session.output, one, typed)
    if wait and not all(one["complete"] for one in receipts):
        raise CliError(
            f"not every store was empty after {RECEIPT_SECONDS:.0f} s; the documents are out of every answer, "
            "and the sweep goes on",
            code="receipt_pending",
            hint=f"lambent receipt {next(one['subject_id'] for one in receipts if not one['complete'])}",
        )


def receipt(
    session: Session, document: Annotated[str, typer.Argument(metavar="ID", help="The deleted document's id.")]
) -> None:
    """Show the proof of a deletion."""
    known = names.as_id(document)
    if known is None:
        raise CliError(
            "a deleted document is known by its id only",
            code="usage",
            hint="it was printed when the document was deleted",
        )
    found = session.api.receipt(known)
    if session.json:
        session.output.value(found)
    else:
        show_receipt(session.output, found)


def show_receipt(output: Output, one: DeletionReceipt, name: str = "") -> None:
    """What was removed and what was left, store by store; `name` is what the person called it."""
    state = "nothing is left in any store" if one["complete"] else "out of every answer; its traces are being removed"
    called = one["subject_id"] if name in ("", one["subject_id"]) else f"{name} ({one['subject_id']})"
    output.line(f"Deleted {called}: {state}.", "bold green" if one["complete"] else "bold yellow")
    output.facts(
        [
            ("receipt", one["id"]),
            ("requested", f"{moment(one['requested_at'])} by {one['requested_by']}"),
            ("completed", moment(one["completed_at"])),
        ]
    )
    stores = sorted(one["removed"].keys() | one["remaining"].keys())
    # A store that was not counted again is not said to be empty.
    rows = [
        (store, *(str(counts.get(store, "-")) for counts in (one["removed"], one["remaining"]))) for store in stores
    ]
    output.table([Column("Store"), Column("Removed", right=True), Column("Left", right=True)], rows)
    output.line()


def _completed(api: "Api", receipts: Sequence[DeletionReceipt]) -> list[DeletionReceipt]:
    """The receipts once they are complete, or as they are when patience ends."""
    deadline = time.monotonic() + RECEIPT_SECONDS
    current = list(receipts)
    tries = 0
    while not all(one["complete"] for one in current) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS[min(tries, len(_POLL_SECONDS) - 1)])
        tries += 1
        current = [one if one["complete"] else api.receipt(one["subject_id"]) for one in current]
    return current


def declare(app: typer.Typer, panel: str) -> None:
    """Add these commands."""
    for body in (text, download, delete, receipt):
        api_command(app, panel=panel)(body)
