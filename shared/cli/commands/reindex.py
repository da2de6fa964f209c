"""Commands about making a collection's index anew."""

from typing import Annotated

import typer

from shared.cli.commands.documents import PANEL
from shared.cli.names import collection
from shared.cli.options import api_command
from shared.cli.output import Column
from shared.cli.plain import number
from shared.cli.session import Session
from shared.cli.shapes import IndexSettings, ReindexPlan

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
    api_command(group)(plan)
    app.add_typer(group, name="reindex", rich_help_panel=PANEL)
