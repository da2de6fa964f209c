"""Commands about deletion receipts: list, show, verify without asking anybody."""

import json
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.cli import names
from shared.cli.commands.documents import PANEL
from shared.cli.commands.files import show_receipt
from shared.cli.errors import CliError
from shared.cli.options import api_command, group_default, local_command
from shared.cli.output import Column
from shared.cli.plain import age, number
from shared.cli.session import Session
from shared.domain import ed25519
from shared.domain.receipts import canonical


def list_receipts(
    session: Session,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="Only of a document, collection, project or tenant.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="How many at most.", min=1)] = 20,
) -> None:
    """List deletion receipts, newest first; `show` and `verify` concern one."""
    found = list(islice(session.api.receipts(kind=kind), limit))
    if session.json:
        session.output.value(found)
        return
    rows = [
        (
            one["kind"],
            one["subject_id"],
            number(one["documents"]) if one["kind"] != "document" else "",
            "complete" if one["complete"] else "being removed",
            "signed" if one["signature"] else "",
            age(one["requested_at"]),
            one["id"],
        )
        for one in found
    ]
    columns = [
        Column("Deleted"),
        Column("Its id", flexible=True),
        Column("Documents", right=True),
        Column("State"),
        Column("Signature"),
        Column("Age", right=True),
        Column("Receipt", style="dim"),
    ]
    session.output.table(columns, rows, empty="Nothing was deleted yet.")


def show(session: Session, receipt: Annotated[str, typer.Argument(metavar="ID", help="The receipt's id.")]) -> None:
    """Show a receipt. With --json, what `verify` reads: keep it in a file."""
    known = names.as_id(receipt)
    if known is None:
        raise CliError(f"{receipt!r} is no id", code="usage", hint="lambent receipts lists them")
    found = session.api.receipt_by_id(known)
    if session.json:
        session.output.value(found)
    else:
        show_receipt(session.output, found)


def key(session: Session) -> None:
    """Show the public key that verifies receipts: keep it apart from them."""
    found = session.api.receipt_key()
    if session.json:
        session.output.value(found)
    else:
        session.output.line(found["public_key"])


def verify(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As `lambent receipts show --json` prints it.")],
    public_key: Annotated[
        str,
        typer.Option("--key", metavar="HEX", help="The deployment's public key, as `lambent receipts key` shows it."),
    ],
) -> None:
    """Verify a receipt, without any network: its signature, that it is complete, and that nothing was left."""
    said = check(_read(file), public_key)
    if session.json:
        session.output.value({"verified": True, "statement": said})
    else:
        session.output.line(
            f"Verified: {said['kind']} {said['subject_id']} was deleted, and nothing was left in any store."
        )
        session.output.line(f"Requested {said['requested_at']}, completed {said['completed_at']}.", "dim")


def check(receipt: dict[str, Any], public_key: str) -> dict[str, Any]:
    """The statement of a receipt that holds.

    Args:
        receipt: with `statement` and `signature`.
        public_key: the key to trust, in hexadecimal; that in the receipt proves nothing by itself.

    Raises:
        CliError: no signature, another key's, one of another text, or a statement of something left.
    """
    said, signature = receipt.get("statement"), receipt.get("signature")
    if not isinstance(said, dict) or not isinstance(signature, dict):
        raise CliError("the receipt is not signed", code="unsigned", hint="it is signed when it is complete")
    try:
        key, value = bytes.fromhex(public_key), bytes.fromhex(str(signature.get("value", "")))
    except ValueError as error:
        raise CliError("the key or the signature is not hexadecimal", code="not_verified") from error
    if not ed25519.verifies(key, canonical(said), value):
        raise CliError(
            "the signature is not this key's, or not of this text",
            code="not_verified",
            hint="a single changed character shows; ask for the receipt again",
        )
    left = said.get("remaining")
    if not said.get("completed_at") or not isinstance(left, dict) or any(left.values()):
        raise CliError("the receipt says that something was left", code="not_complete")
    return said


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CliError(f"{file} is no receipt", code="usage", hint="lambent receipts show ID --json > FILE") from error
    if not isinstance(found, dict):
        raise CliError(f"{file} is no receipt", code="usage", hint="lambent receipts show ID --json > FILE")
    return found


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List deletion receipts; show or verify one.", rich_markup_mode=None)
    group_default(group)(list_receipts)
    for command in (show, key):
        api_command(group)(command)
    local_command(group)(verify)
    app.add_typer(group, name="receipts", rich_help_panel=PANEL)
