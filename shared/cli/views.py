"""The local cloud and the system's health, as a person reads them."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from shared.cli.loglines import readable
from shared.cli.output import Column, Output
from shared.cli.plain import moment, number, seconds
from shared.cli.shapes.health import Health, QueueDepth

if TYPE_CHECKING:
    from shared.local.report import LogLine, Ready, Status, Step


def show_ready(output: Output, ready: "Ready", *, detached: bool) -> None:
    """Where it is and what to do next."""
    if output.json:
        output.event({"event": "ready", **asdict(ready)})
        return
    output.line(f"\nThe local cloud is up ({seconds(ready.seconds)}).", "bold green")
    output.facts(
        [
            ("  API", f"{ready.url}/api/v1"),
            ("  Page", f"{ready.url}/docs"),
            ("  Key", ready.api_key or ""),
            ("  Project", ready.project_id or ""),
            ("  AWS", f"{ready.aws_url}  (AWS_ENDPOINT_URL for aws and boto3)"),
        ]
    )
    output.line('\nNext: lambent demo, or: lambent ingest FOLDER and lambent ask "…"')
    output.line("Stop it with: lambent down" if detached else "Ctrl-C stops it.", "dim")


def show_step(output: Output, step: "Step") -> None:
    """One step of `up`."""
    if output.json:
        output.event({"event": "step", **asdict(step)})
    else:
        output.line(f"  {step.name:<10} {seconds(step.seconds):>8}  {step.detail}")


def show_status(output: Output, found: "Status") -> None:
    """What runs, where, and what the functions have done."""
    if not found.running:
        output.line("Nothing runs. Start it with: lambent up --detach")
    if found.ready:
        output.line(f"Running at {found.ready.url} since {moment(found.started_at)}", "bold green")
        output.facts(
            [
                ("  API", f"{found.ready.url}/api/v1"),
                ("  Key", found.ready.api_key or ""),
                ("  AWS", found.ready.aws_url),
            ]
        )
        output.line()
    output.table(
        [Column("Process"), Column("Id", right=True), Column("State"), Column("Address", flexible=True)],
        [(one.name, str(one.pid), "runs" if one.alive else "DEAD", one.address) for one in found.processes],
    )
    used = [one for one in found.functions if one.invocations or one.cold_starts]
    if used:
        output.line()
        numbers = [
            Column(title, right=True) for title in ("Calls", "Average", "Cold", "Init", "Errors", "Timeouts", "Busy")
        ]
        output.table(
            [Column("Function", flexible=True), *numbers, Column("Last error", flexible=True, style="red")],
            [
                (
                    *(
                        one.name.removesuffix("Function"),
                        number(one.invocations),
                        f"{one.average_ms:.0f} ms",
                        str(one.cold_starts),
                    ),
                    *(
                        f"{one.init_ms:.0f} ms",
                        str(one.errors),
                        str(one.timeouts),
                        f"{one.busy}/{one.processes}",
                        one.last_error,
                    ),
                )
                for one in used
            ],
        )
    for problem in found.problems:
        output.warn(problem)


def show_health(output: Output, url: str, found: Health) -> None:
    """Every part of the system, and its queues."""
    output.line(f"{url}: {found['status']}", "bold green" if found["status"] == "healthy" else "bold red")
    parts = [
        (one["name"], "ok" if one["healthy"] else "DOWN", f"{one['milliseconds']:.0f} ms", one["detail"])
        for one in found["parts"]
    ]
    output.table([Column("Part"), Column("State"), Column("Took", right=True), Column("Detail", wraps=True)], parts)
    show_queues(output, found["queues"])


def show_queues(output: Output, found: list[QueueDepth]) -> None:
    """What is in the queues, and in those of the dead."""
    queues = [one for one in found if not one["dead"]]
    if queues:
        output.line()
        numbers = [Column(title, right=True) for title in ("Waiting", "In flight", "Delayed")]
        rows = [
            (one["name"], number(one["waiting"]), number(one["in_flight"]), number(one["delayed"])) for one in queues
        ]
        output.table([Column("Queue", flexible=True), *numbers], rows)
    letters = [(one["name"], number(one["waiting"])) for one in found if one["dead"] and one["waiting"]]
    if letters:
        output.line()
        output.table([Column("Dead letters", flexible=True, style="red"), Column("Waiting", right=True)], letters)
    elif any(one["dead"] for one in found):
        output.line("No dead letters.")


def show_log_line(output: Output, one: "LogLine", *, named: bool, raw: bool) -> None:
    """A line of a log; with `named` the function's name stands before it."""
    found = (one.text, "") if raw else readable(one.text)
    if found is not None:
        text, style = found
        name = one.function.removesuffix("Function")
        output.line(f"{name:<16} {text}" if named else text, style)
