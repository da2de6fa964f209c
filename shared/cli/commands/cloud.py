"""Commands about the cloud on this machine: up, down, status, logs, reset, doctor, health, open."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.cli.asking import confirm
from shared.cli.errors import CliError
from shared.cli.options import api_command, local_command
from shared.cli.output import Column
from shared.cli.session import Session
from shared.cli.views import show_health, show_log_line, show_ready, show_status, show_step

if TYPE_CHECKING:
    from shared.local.report import Options, Ready

PANEL = "The cloud on this machine"

Detach = Annotated[bool, typer.Option("--detach", "-d", help="Start in the background and return when it is ready.")]
Built = Annotated[bool, typer.Option("--built", help="Run what `sam build` made, with only its layers.")]
Port = Annotated[
    int, typer.Option("--port", metavar="PORT", help="Preferred port; the next free one is taken.", min=1, max=65535)
]
EnvFile = Annotated[
    Path | None,
    typer.Option(
        "--env-file",
        metavar="FILE",
        help="File of NAME=value lines for the functions, e.g. LAMBENT_LLM=openai_api.",
        exists=True,
        dir_okay=False,
    ),
]
Parameter = Annotated[
    list[str] | None,
    typer.Option("--parameter", metavar="NAME=VALUE", help="A template parameter as Name=value; repeatable."),
]


def up(
    session: Session,
    detach: Detach = False,
    built: Built = False,
    port: Port = 8400,
    env_file: EnvFile = None,
    parameter: Parameter = None,
) -> None:
    """Start the local cloud: database, AWS services and every function of template.yaml."""
    from shared.local.errors import AlreadyRunning
    from shared.local.report import Options

    cloud, output = session.cloud, session.output
    options = Options(
        root=session.root,
        built=built,
        port=port,
        parameters=_pairs(parameter or [], "--parameter"),
        environment=_pairs(_lines(env_file), str(env_file)) if env_file else {},
    )
    try:
        if detach:
            show_ready(output, start_detached(session, options), detached=True)
        else:
            cloud.up(
                options,
                on_step=lambda step: show_step(output, step),
                on_ready=lambda ready: show_ready(output, ready, detached=False),
            )
            output.note("Stopped.")
    except AlreadyRunning:
        from shared.cli.local_cloud import running

        ready = running(session.root)
        if ready is None or not detach:
            raise
        show_ready(output, ready, detached=True)


def start_detached(session: Session, options: "Options", *, quiet: bool = False) -> "Ready":
    """Start it in the background, telling each step unless `quiet`."""
    return session.cloud.up_detached(options, on_step=lambda step: None if quiet else show_step(session.output, step))


def down(session: Session) -> None:
    """Stop the local cloud; what it stored stays."""
    stopped = session.cloud.down(session.root)
    if session.json:
        session.output.value({"stopped": stopped})
    else:
        session.output.line("Stopped." if stopped else "Nothing was running.")


def status(session: Session) -> None:
    """What runs, where, and what its functions have done. Exit code 1 when nothing runs or something is wrong."""
    found = session.cloud.status(session.root)
    if session.json:
        session.output.value(asdict(found))
    else:
        show_status(session.output, found)
    if not found.running or found.problems:
        raise typer.Exit(1)


def logs(
    session: Session,
    function: Annotated[
        str | None,
        typer.Argument(help="A function (ingest_chunk), or supervisor, aws, postgres; all functions by default."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", metavar="N", help="How many of the last lines of each.", min=0)
    ] = 100,
    raw: Annotated[bool, typer.Option("--raw", help="Every line as it was written, metrics and all.")] = False,
) -> None:
    """What the functions wrote."""
    try:
        for one in session.cloud.logs(session.root, function, lines=lines, follow=follow):
            if session.json:
                session.output.event(asdict(one))
            else:
                show_log_line(session.output, one, named=function is None, raw=raw)
    except KeyboardInterrupt:
        if not follow:
            raise


def reset(session: Session, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Forget everything the local cloud stored: database, files, queues, logs."""
    cloud = session.cloud
    confirm(yes, f"Delete every document and setting of the local cloud in {session.root / '.lambent'}?")
    removed = [str(path) for path in cloud.reset(session.root)]
    if session.json:
        session.output.value({"removed": removed})
    else:
        session.output.line("\n".join(f"removed {path}" for path in removed) or "There was nothing to remove.")


def doctor(session: Session) -> None:
    """Check whatever could keep the local cloud from running, and say what to do about it."""
    checks = session.cloud.doctor(session.root)
    if session.json:
        session.output.value([asdict(check) for check in checks])
    else:
        marks = {True: "ok", False: "WRONG"}
        rows = [
            (
                marks[one.ok] if one.ok or one.fatal else "note",
                one.name,
                f"{one.detail}\n→ {one.fix}" if one.fix else one.detail,
            )
            for one in checks
        ]
        session.output.table([Column("", style="bold"), Column("Check"), Column("Found", wraps=True)], rows)
    if any(check.fatal and not check.ok for check in checks):
        raise typer.Exit(1)


def health(session: Session) -> None:
    """Ask the API how each of its parts does. Exit code 1 when it is unhealthy."""
    found = session.api.health()
    if session.json:
        session.output.value(found)
    else:
        show_health(session.output, session.address.url, found)
    if found["status"] != "healthy":
        raise typer.Exit(1)


def open_docs(session: Session) -> None:
    """Open the API's page, where every route is described and can be tried."""
    from shared.cli.local_cloud import running

    ready = running(session.root)
    if ready is None or ready.url != session.address.url:
        raise CliError("only the local cloud serves the API's page", code="no_docs", hint="lambent up --detach")
    address = f"{ready.url}/docs"
    if session.json:
        session.output.value({"url": address})
        return
    session.output.line(address)
    if session.output.out.is_terminal:
        import webbrowser

        webbrowser.open(address)


def _lines(file: Path) -> list[str]:
    written = (line.strip() for line in file.read_text("utf-8").splitlines())
    return [line.removeprefix("export ") for line in written if line and not line.startswith("#")]


def _pairs(texts: list[str], where: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            # Not repeated in full: it may be a secret.
            raise CliError(f"{where}: expected NAME=value, got {name[:40]!r}", code="usage")
        pairs[name.strip()] = value.strip().strip("\"'")
    return pairs


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    for body in (up, down, status, logs, reset, doctor):
        local_command(app, panel=PANEL)(body)
    api_command(app, panel=PANEL)(health)
    api_command(app, "open", panel=PANEL)(open_docs)
