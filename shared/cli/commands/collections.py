"""Commands about collections."""

from typing import Annotated, Literal

import typer

from shared.cli.asking import confirm
from shared.cli.commands.documents import PANEL
from shared.cli.names import collection
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age, number, plural
from shared.cli.session import Session


def list_collections(session: Session) -> None:
    """List collections; `create` and `delete` make and remove them."""
    found = [session.api.collection(one["id"]) for one in session.api.collections()]
    if session.json:
        session.output.value(found)
        return
    counted: tuple[Literal["documents", "indexed", "failed", "chunks"], ...] = (
        "documents",
        "indexed",
        "failed",
        "chunks",
    )
    rows = [
        (
            one["name"],
            *(number(one[key]) for key in counted),
            age(one["created_at"]),
            one["id"],
        )
        for one in found
    ]
    numbers = [Column(key.capitalize(), right=True) for key in counted]
    columns = [
        Column("Collection", flexible=True, style="bold"),
        *numbers,
        Column("Age", right=True),
        Column("Id", style="dim"),
    ]
    session.output.table(columns, rows, empty="There are no collections yet. lambent ingest FOLDER makes one.")


def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="Its name.")],
    description: Annotated[str, typer.Option("--description", metavar="TEXT", help="What is in it.")] = "",
    language: Annotated[
        str, typer.Option("--language", metavar="XX", help="Two letters (ISO 639-1); by default each document's own.")
    ] = "",
) -> None:
    """Make a collection."""
    made = session.api.create_collection(name, description, language)
    if session.json:
        session.output.value(made)
    else:
        session.output.line(f"Made the collection {made['name']}: {made['id']}")


def delete(
    session: Session,
    name: Annotated[str, typer.Argument(help="Its name or id.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a collection with every document in it."""
    found = collection(session.api, name)
    counted = session.api.collection(found["id"])
    confirm(yes, f"Delete the collection {found['name']} with {plural(counted.get('documents', 0), 'document')}?")
    removed = session.api.delete_collection(found["id"])
    if session.json:
        session.output.value(removed)
    else:
        session.output.line(
            f"Deleted {found['name']}: nothing of it is found from now on, and its traces are being removed."
        )


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List collections, make or delete one.", rich_markup_mode=None)
    group_default(group)(list_collections)
    api_command(group)(create)
    api_command(group)(delete)
    app.add_typer(group, name="collections", rich_help_panel=PANEL)
