"""Child processes that never outlive the supervisor."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec a child may do little more than this one call.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(death_signal: int) -> Callable[[], None] | None:
    """A `preexec_fn` that makes the kernel send `death_signal` when the parent dies, by whatever cause.

    The kernel watches the *thread* that forked, so call it from the thread that runs the event loop. Elsewhere than on
    Linux there is no such call: None, and stale processes are found and stopped at the next start.
    """
    if _LIBC is None:
        return None
    library = _LIBC
    parent = os.getpid()

    def arrange() -> None:
        library.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # the parent died between fork and prctl
            os._exit(1)

    return arrange


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a long-lived child.

    Attributes:
        arguments: the program and its arguments.
        environment: the whole environment; nothing is inherited.
        log: file that stdout and stderr are appended to.
        user: operating system user to run as, None for the current one.
        stop_signal: asks it to end in good order; also sent by the kernel when the supervisor dies.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    user: str | None = None
    stop_signal: int = signal.SIGTERM


class Child:
    """A running child process of the supervisor."""

    def __init__(self, command: Command, process: asyncio.subprocess.Process) -> None:
        self._command = command
        self._process = process

    @classmethod
    async def start(cls, command: Command) -> "Child":
        """Starts the process in its own session, so that Ctrl-C in the terminal reaches only the supervisor."""
        log = os.open(command.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = await asyncio.create_subprocess_exec(
                *command.arguments,
                env=dict(command.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(command.stop_signal),
                user=command.user,
                group=command.user,
                extra_groups=[] if command.user else None,
            )
        finally:
            os.close(log)
        return cls(command, process)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    def listens_on(self, port: int) -> bool:
        """True if this very process has a listener on `port`."""
        try:
            connections = psutil.Process(self.pid).net_connections("inet4")
        except psutil.Error:
            return False
        return any(one.status == psutil.CONN_LISTEN and one.laddr[1] == port for one in connections)

    async def wait(self) -> int:
        """Waits for the end and returns the exit code."""
        return await self._process.wait()

    async def stop(self, grace: float) -> None:
        """Asks the process to end and kills it after `grace` seconds."""
        if self._process.returncode is not None:
            return
        try:
            self._process.send_signal(self._command.stop_signal)
            await asyncio.wait_for(self._process.wait(), grace)
        except ProcessLookupError:
            return
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
