"""The `lambent` command: what it is made of, and how whatever goes wrong is told."""

import sys
import traceback
from collections.abc import Sequence
from itertools import groupby, takewhile
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from shared.cli.commands import (
    access,
    account,
    accounts,
    audit,
    cloud,
    collections,
    demo,
    documents,
    ingest,
    ingestions,
    invitations,
    keys,
    mail,
    me,
    members,
    orgs,
    passwords,
    projects,
    providers,
    questions,
    receipts,
    reindex,
    roles,
    units,
    webhooks,
)
from shared.cli.errors import CliError
from shared.cli.options import Debug, Json
from shared.cli.output import Output
from shared.cli.session import Asked
from shared.local.errors import LocalError

PANELS = (cloud.PANEL, account.PANEL, documents.PANEL, questions.PANEL)


class Sections(TyperGroup):
    """Lists commands by what they are about, in the order they are declared."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one list for each panel."""
        shown = [(name, self.commands[name]) for name in self.list_commands(ctx) if not self.commands[name].hidden]
        panel_of = {name: getattr(command, "rich_help_panel", None) or PANELS[-1] for name, command in shown}
        ordered = sorted(shown, key=lambda one: PANELS.index(panel_of[one[0]]))
        width = max(len(name) for name, _ in shown)
        room = max(20, formatter.width - 6 - width)
        for panel, commands in groupby(ordered, key=lambda one: panel_of[one[0]]):
            with formatter.section(panel):
                formatter.write_dl(
                    [(name.ljust(width), command.get_short_help_str(room)) for name, command in commands]
                )


app = typer.Typer(
    name="lambent",
    cls=Sections,
    help="Documents in, cited answers out: run the cloud on this machine, fill it, ask it.",
    epilog="Start here: lambent demo",
    # Plain help is there in a third of the time that styled help takes to import.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
PARTS = (
    *(cloud, mail, demo),
    *(
        account,
        me,
        passwords,
        providers,
        orgs,
        projects,
        members,
        invitations,
        roles,
        units,
        keys,
        accounts,
        access,
        audit,
    ),
    *(ingest, ingestions, documents, receipts, collections, reindex, webhooks),
    questions,
)
for part in PARTS:
    part.declare(app)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    url: Annotated[str, typer.Option("--url", envvar="LAMBENT_URL", hidden=True)] = "",
    key: Annotated[str, typer.Option("--key", envvar="LAMBENT_API_KEY", hidden=True)] = "",
    project: Annotated[str, typer.Option("--project", envvar="LAMBENT_PROJECT", hidden=True)] = "",
    org: Annotated[str, typer.Option("--org", envvar="LAMBENT_ORG", hidden=True)] = "",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Documents in, cited answers out: run the cloud on this machine, fill it, ask it."""
    ctx.obj = Asked(url, key, project, org, json, debug)
    if version:
        import importlib.metadata

        typer.echo(f"lambent {importlib.metadata.version('lambent')}")
    elif ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def main(args: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        args: what was typed after `lambent`; None for the process's own arguments.

    Returns:
        The exit code: 0 when it did what was asked, 1 when not, 2 for a command that cannot be understood, 130 after
        Ctrl-C.
    """
    given = list(sys.argv[1:] if args is None else args)
    flags = set(takewhile(lambda one: one != "--", given))
    output, debug = Output(json="--json" in flags), "--debug" in flags
    if not debug:
        sys.excepthook = _tell_defect
    try:
        return int(get_command(app).main(given, prog_name="lambent", standalone_mode=False) or 0)
    except CliError as error:
        return _told(output, error, debug=debug)
    except LocalError as error:
        return _told(output, CliError(error.detail, code="local_cloud", hint=error.hint), debug=debug)
    except typer.Abort:
        return 130
    except typer.TyperException as error:
        return _misunderstood(output, error)
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        return _told(output, CliError(f"{named}{error.strerror or error}", code="system"), debug=debug)


def _told(output: Output, error: CliError, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    output.error(error)
    return error.exit_code


def _misunderstood(output: Output, error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "lambent"
    output.error(CliError(error.format_message(), code="usage", hint=f"{path} --help"))
    return error.exit_code


def _tell_defect(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    last = traceback.extract_tb(trace)[-1:]
    where = f" ({Path(last[0].filename).name}:{last[0].lineno})" if last else ""
    sys.stderr.write(
        f"error: this is a defect of lambent: {kind.__name__}: {value}{where}\n  add --debug to see the whole of it\n"
    )
