"""The Python API of the local cloud, for the command line and tests: functions that block and print nothing."""

import asyncio
import http.client
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import psutil

from shared.local.addresses import LOOPBACK
from shared.local.doctor import doctor
from shared.local.errors import AlreadyRunning, InvokeFailed, LocalError, NotRunning, StepFailed
from shared.local.layout import Layout
from shared.local.logs import logical_id, logs
from shared.local.postgres import HOME_PREFIX
from shared.local.report import Check, FunctionStatus, LogLine, Options, ProcessStatus, Ready, Status, Step
from shared.local.run_file import RunFile
from shared.local.state import Remembered, RunLock
from shared.local.supervisor import Supervisor

__all__ = [
    "Check",
    "FunctionStatus",
    "LogLine",
    "Options",
    "ProcessStatus",
    "Ready",
    "Status",
    "Step",
    "current",
    "doctor",
    "down",
    "invoke",
    "logs",
    "reset",
    "status",
    "up",
    "up_detached",
]

_POLL_SECONDS = 0.05


def _ignore(_: object) -> None:
    """Listens to nothing."""


def up(
    options: Options, *, on_step: Callable[[Step], None] = _ignore, on_ready: Callable[[Ready], None] = _ignore
) -> None:
    """Runs the local cloud in this process until Ctrl-C or SIGTERM, and returns when everything has stopped.

    Call it from the main thread, which is the one that signals reach.

    Raises:
        AlreadyRunning: another one runs on this state folder.
        LocalError: a step failed, MiniStack ended by itself, or Postgres did and does not come back; everything has
            been stopped.
    """
    layout = Layout.of(options.root, options.state)
    layout.create()
    logging.getLogger("shared.local").setLevel(logging.INFO)
    with RunLock(layout.lock):
        asyncio.run(_run(options, layout, on_step, on_ready))


async def _run(
    options: Options, layout: Layout, on_step: Callable[[Step], None], on_ready: Callable[[Ready], None]
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    supervisor = Supervisor(options, layout, on_step)
    stopped = asyncio.create_task(stop.wait())
    try:
        ready = await _unless(stopped, asyncio.create_task(supervisor.start()))
        if ready is None:
            return
        on_ready(ready)
        trouble = await _unless(stopped, asyncio.create_task(supervisor.wait_for_trouble()))
        if trouble is not None:
            raise StepFailed(trouble, "`lambent logs aws` and `lambent logs postgres` may say why.")
    finally:
        stopped.cancel()
        await supervisor.stop()


async def _unless[T](stopped: asyncio.Task[bool], work: asyncio.Task[T]) -> T | None:
    """The result of `work`, or None when the stop signal came first."""
    await asyncio.wait({stopped, work}, return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        return work.result()
    work.cancel()
    await asyncio.wait({work})
    return None


def up_detached(options: Options, *, on_step: Callable[[Step], None] = _ignore) -> Ready:
    """Starts the local cloud in the background and waits until it is ready.

    Raises:
        AlreadyRunning: another one runs on this state folder; `current` tells where.
        StepFailed: it did not come up.
    """
    layout = Layout.of(options.root, options.state)
    layout.create()
    template = options.template.resolve() if options.template else None
    absolute = replace(options, root=layout.root, state=layout.state, template=template)
    with (layout.logs / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "shared.local", json.dumps(asdict(absolute), default=str)],
            cwd=layout.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            text=True,
        )
    process.wait()
    if process.stdout is None:
        raise StepFailed("the supervisor has no pipe to tell its steps")
    with process.stdout as events:
        for line in events:
            event = json.loads(line)
            match event.pop("event"):
                case "step":
                    on_step(Step(**event))
                case "ready":
                    return Ready(**{**event, "steps": tuple(Step(**step) for step in event["steps"])})
                case "running":
                    raise AlreadyRunning(event["detail"], event["hint"])
                case "failed":
                    raise StepFailed(event["detail"], event["hint"])
    raise StepFailed("the supervisor ended without a word", f"Its last ones are in {layout.logs / 'supervisor.log'}.")


def current(root: Path, *, state: Path | None = None) -> Ready | None:
    """What runs now and is ready; None when nothing does."""
    run = RunFile.read(Layout.of(root, state).run)
    return run.ready if run is not None and run.is_alive() else None


def down(root: Path, *, state: Path | None = None, timeout: float = 30.0) -> bool:
    """Stops what runs and waits for it; after `timeout` seconds it is killed.

    Returns:
        True if something ran.
    """
    layout = Layout.of(root, state)
    run = RunFile.read(layout.run)
    if run is None or not run.is_alive():
        return False
    for number, patience in ((signal.SIGTERM, timeout), (signal.SIGKILL, 5.0)):
        try:
            os.kill(run.pid, number)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not RunLock.is_held(layout.lock):
                return True
            time.sleep(_POLL_SECONDS)
    raise LocalError(f"the supervisor (process {run.pid}) does not end")


def status(root: Path, *, state: Path | None = None) -> Status:
    """What runs, where, and what the functions have done."""
    layout = Layout.of(root, state)
    run = RunFile.read(layout.run)
    if run is None:
        return Status(running=False)
    if not run.is_alive():
        return Status(running=False, problems=("the last run was killed; `lambent up` cleans up after it",))
    processes = tuple(ProcessStatus(one.name, one.pid, _alive(one.pid), one.address) for one in run.processes)
    problems = [f"{one.name} (process {one.pid}) is dead" for one in processes if not one.alive]
    if run.ready is None:
        problems.append("it is still starting")
    functions = _functions(run.ready) if run.ready else ()
    if functions is None:
        problems.append("the function host does not answer")
    return Status(True, run.ready, run.started_at, processes, functions or (), tuple(problems))


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _functions(ready: Ready) -> tuple[FunctionStatus, ...] | None:
    try:
        code, body = _request(ready.host_url, "GET", "/stats")
    except OSError:
        return None
    names = FunctionStatus.__dataclass_fields__
    return (
        tuple(FunctionStatus(**{name: item[name] for name in names}) for item in json.loads(body))
        if code == 200
        else None
    )


def _request(url: str, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(LOOPBACK, int(url.rsplit(":", 1)[1]), timeout=900)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def reset(root: Path, *, state: Path | None = None) -> tuple[Path, ...]:
    """Deletes everything the local cloud has stored: database, objects, queues, keys, logs.

    Returns:
        The deleted folders.

    Raises:
        AlreadyRunning: it runs; stop it first.
    """
    layout = Layout.of(root, state)
    if not layout.state.exists():
        return ()
    with RunLock(layout.lock):
        elsewhere = Remembered.load(layout.remembered).postgres_home
        ours = Path(elsewhere).name.startswith(HOME_PREFIX)  # never a folder that somebody wrote into the file
        removed = [layout.state, *([Path(elsewhere)] if ours else [])]
        for folder in removed:
            shutil.rmtree(folder, ignore_errors=True)
    return tuple(removed)


def invoke(root: Path, function: str, event: object, *, state: Path | None = None) -> object:
    """Runs a function of the running cloud with `event` and returns its answer.

    Raises:
        NotRunning: nothing runs.
        InvokeFailed: the function failed; Lambda's error document is in the text.
    """
    ready = current(root, state=state)
    if ready is None:
        raise NotRunning("the local cloud does not run", "Start it with `lambent up`.")
    name = function if function.endswith("Function") else logical_id(function)
    code, body = _request(ready.host_url, "POST", f"/invoke/{name}", json.dumps(event).encode())
    if code != 200:
        raise InvokeFailed(body.decode(errors="replace"), f"`lambent logs {name}` has the whole story.")
    return json.loads(body) if body else None
