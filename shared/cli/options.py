"""How commands are declared: every one takes the same options after its own, before or behind the command's name.

@api_command(app, panel=DOCUMENTS)
def why(session: Session, document: Annotated[str, typer.Argument()]) -> None:
"""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from shared.cli.session import Asked, Session

Url = Annotated[
    str,
    typer.Option(
        "--url", metavar="URL", help="Base of the API [env: LAMBENT_URL; else the local cloud].", show_default=False
    ),
]
Key = Annotated[
    str,
    typer.Option(
        "--key",
        metavar="KEY",
        help="API key [env: LAMBENT_API_KEY; else whoever is signed in, else the local cloud's owner].",
        show_default=False,
    ),
]
ProjectId = Annotated[
    str,
    typer.Option(
        "--project",
        metavar="NAME",
        help="Project, by name or id, where there are several [env: LAMBENT_PROJECT].",
        show_default=False,
    ),
]
OrgId = Annotated[
    str,
    typer.Option(
        "--org",
        metavar="NAME",
        help="Organisation, by name or id, where there are several [env: LAMBENT_ORG].",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON; errors as problem details on stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error came from.", hidden=True)]

_COMMON = {"json": Json, "debug": Debug}
_CONNECTION = {"url": Url, "key": Key, "project": ProjectId, "org": OrgId}

type Body = Callable[..., None]
type Declared = Callable[..., None]


def api_command(app: typer.Typer, name: str | None = None, panel: str = "") -> Callable[[Body], Declared]:
    """Declare a command that talks to the API. Its first parameter is the session."""
    return _declare(app, name, panel, {**_CONNECTION, **_COMMON})


def local_command(app: typer.Typer, name: str | None = None, panel: str = "") -> Callable[[Body], Declared]:
    """Declare a command about the local cloud."""
    return _declare(app, name, panel, _COMMON)


def group_default(app: typer.Typer, name: str = "list") -> Callable[[Body], Declared]:
    """Declare what a group of commands does when none is named, and by name; it talks to the API."""

    def declare(body: Body) -> Declared:
        wrapped = _wrapped(body, {**_CONNECTION, **_COMMON}, only_alone=True)
        app.callback(invoke_without_command=True)(wrapped)
        return api_command(app, name)(body)

    return declare


def _declare(app: typer.Typer, name: str | None, panel: str, extra: dict[str, Any]) -> Callable[[Body], Declared]:
    def declare(body: Body) -> Declared:
        wrapped = _wrapped(body, extra, only_alone=False)
        app.command(name, rich_help_panel=panel or None)(wrapped)
        return wrapped

    return declare


def _wrapped(body: Body, extra: dict[str, Any], *, only_alone: bool) -> Declared:
    """The body with the common options in its signature, which is all that Typer reads."""

    def run(ctx: typer.Context, **given: Any) -> None:
        asked = Asked(**{name: given.pop(name) for name in extra}).over(ctx.obj)
        if only_alone and ctx.invoked_subcommand is not None:
            ctx.obj = asked
            return
        session = Session(asked)
        try:
            body(session, **given)
        finally:
            session.close()

    _, *own = inspect.signature(body, eval_str=True).parameters.values()
    kind = inspect.Parameter.KEYWORD_ONLY
    context = inspect.Parameter("ctx", kind, annotation=typer.Context)
    options = [
        inspect.Parameter(name, kind, default=_default(name), annotation=annotation)
        for name, annotation in extra.items()
    ]
    parameters = [context, *(one.replace(kind=kind) for one in own), *options]
    run.__name__ = getattr(body, "__name__", "command")
    run.__doc__ = inspect.getdoc(body)
    run.__dict__["__signature__"] = inspect.Signature(parameters, return_annotation=None)
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _default(name: str) -> str | bool:
    return False if name in _COMMON else ""
