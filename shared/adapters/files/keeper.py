"""The function's side of the cage: starting its keeper, handing files over, hearing how it ended."""

import os
import signal
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path
from weakref import finalize

from shared.adapters.files.protocol import Ending, Request
from shared.adapters.files.sandbox import conceal
from shared.domain.errors import Unavailable

_GRACE = 20.0
"""Seconds beyond a file's own limit before the keeper is given up: it may be importing readers for the first time."""


class Keeper:
    """A running keeper process. Not safe for use by several threads at once.

    Raises:
        Unavailable: the process cannot be started.
    """

    def __init__(self, syntax: str) -> None:
        conceal()
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-m", "shared.adapters.files.cage", str(theirs.fileno())]
            try:
                self._process = subprocess.Popen(
                    [*command, syntax] if syntax else command,
                    env=_environment(),
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise Unavailable("the process that reads files cannot be started") from error
        self._channel = ours
        self._owner = os.getpid()
        self._stop = finalize(self, _stop, self._process, ours)

    @property
    def usable(self) -> bool:
        """Whether the process runs, and was started by this process rather than by the one it was forked from."""
        return self._owner == os.getpid() and self._stop.alive and self._process.poll() is None

    def ask(self, request: Request, *, source: int, outcome: int, parts: int) -> Ending:
        """Have one file read.

        Args:
            request: what to do.
            source: descriptor of the file.
            outcome: of the file for what becomes of it.
            parts: of the file with what was read of it before.

        Raises:
            Unavailable: the keeper died or stopped answering; it is gone then, and the file may or may not be to blame.
        """
        try:
            self._channel.settimeout(request.limits.wall_seconds + _GRACE)
            socket.send_fds(self._channel, [request.encode()], [source, outcome, parts])
            line = b""
            while not line.endswith(b"\n"):
                received = self._channel.recv(4096)
                if not received:
                    raise ConnectionError("the keeper closed the channel")
                line += received
            return Ending.decode(line)
        except (OSError, ValueError) as error:
            self.close()
            raise Unavailable("the process that reads files stopped answering") from error

    def close(self) -> None:
        """End the process, with everything it started."""
        self._stop()


def _stop(process: subprocess.Popen[bytes], channel: socket.socket) -> None:
    channel.close()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment() -> dict[str, str]:
    """All the keeper needs and nothing of ours: this process's own variables hold credentials."""
    library = sysconfig.get_config_var("LIBDIR") or ""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry),
        # Where a Python that was built with a shared library finds it, as on Lambda.
        "LD_LIBRARY_PATH": os.pathsep.join(dict.fromkeys((library, str(Path(sys.base_prefix) / "lib")))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONHASHSEED": "0",
        "MALLOC_ARENA_MAX": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
