"""Commands about org units: the tree, and what lies where."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from shared.cli.asking import Sure, confirm
from shared.cli.commands.account import PANEL
from shared.cli.options import api_command, group_default
from shared.cli.plain import one_line
from shared.cli.session import Session
from shared.cli.shapes.organisations import Unit

Wanted = Annotated[str, typer.Argument(metavar="UNIT", help="Its path (Sales/EMEA), name or id.")]


def tree(session: Session) -> None:
    """Show the tree of org units. `lambent members --in-unit UNIT` shows who belongs to one."""
    found = session.organisation.units()
    if session.json:
        session.output.value(found)
    elif not found:
        session.output.note("There are no org units. lambent units add NAME makes one.", "")
    for line in [] if session.json else branches(found):
        session.output.line(line)


def branches(units: Sequence[Unit]) -> Iterator[str]:
    """The tree, a line for each unit."""
    ids = {one["id"] for one in units}

    def below(parent: str | None, indent: str) -> Iterator[str]:
        inside = [one for one in units if (one["parent_id"] if one["parent_id"] in ids else None) == parent]
        for place, one in enumerate(inside, 1):
            last = place == len(inside)
            mark = "" if parent is None else "└─ " if last else "├─ "
            yield f"{indent}{mark}{one_line(one['name'])}  {one['id']}"
            yield from below(one["id"], indent + ("" if parent is None else "   " if last else "│  "))

    return below(None, "")


def add(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
    below: Annotated[str, typer.Option("--below", metavar="UNIT", help="The unit it lies in; without, none.")] = "",
) -> None:
    """Make an org unit."""
    made = session.organisation.create_unit(name, _id(session, below) if below else None)
    session.output.result(made, f"Made the unit {f'{below}/{name}' if below else name}: {made['id']}")


def rename(
    session: Session, unit: Wanted, name: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")]
) -> None:
    """Give an org unit another name."""
    changed = session.organisation.rename_unit(_id(session, unit), name)
    session.output.result(changed, f"It is called {changed['name']} now.")


def move(
    session: Session,
    unit: Wanted,
    below: Annotated[str, typer.Option("--below", metavar="UNIT", help="Where to; without, to the top.")] = "",
) -> None:
    """Put an org unit, with all below it, into another one. Whoever has a role there has it in this one, too."""
    moved = session.organisation.move_unit(_id(session, unit), _id(session, below) if below else None)
    session.output.result(moved, f"{moved['name']} lies {f'in {below}' if below else 'at the top'} now.")


def remove(session: Session, unit: Wanted, yes: Sure = False) -> None:
    """Delete an org unit in which neither units nor projects lie."""
    id = _id(session, unit)
    confirm(yes, f"Delete the unit {unit}?")
    session.organisation.delete_unit(id)
    session.output.result({"id": id, "deleted": True}, f"Deleted the unit {unit}.")


def _id(session: Session, wanted: str) -> str:
    from shared.cli.directory import unit_id

    return unit_id(session.organisation, wanted)


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="Show the tree of org units; add, move or remove one.", rich_markup_mode=None)
    group_default(group, "tree")(tree)
    for body in (add, rename, move, remove):
        api_command(group)(body)
    app.add_typer(group, name="units", rich_help_panel=PANEL)
