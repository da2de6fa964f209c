"""The file that says what runs now, written by the supervisor and read by every other command."""

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from shared.local.report import ProcessStatus, Ready, Step
from shared.local.state import read_json, write_private


@dataclass(frozen=True, slots=True)
class RunFile:
    """What the last supervisor wrote about itself.

    Attributes:
        created: start of the supervisor process in seconds since 1970: with the pid it names one process for good.
        ready: None until everything is up.
        processes: what the supervisor started, as it was then.
    """

    pid: int
    created: float
    started_at: str
    ready: Ready | None
    processes: tuple[ProcessStatus, ...]

    @classmethod
    def read(cls, path: Path) -> "RunFile | None":
        """The file's content; None when there is none or it is not one."""
        content = read_json(path)
        try:
            return cls(
                pid=int(str(content["pid"])),
                created=float(str(content["created"])),
                started_at=str(content["started_at"]),
                ready=_ready(content.get("ready")),
                processes=_processes(content.get("processes")),
            )
        except (KeyError, TypeError, ValueError):
            return None

    @classmethod
    def of_this_process(cls, ready: Ready | None, processes: tuple[ProcessStatus, ...]) -> "RunFile":
        """What this process, as the supervisor, has to say."""
        created = psutil.Process().create_time()
        return cls(os.getpid(), created, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), ready, processes)

    def write(self, path: Path) -> None:
        """Replaces the file. Mode 0600: it holds the API key."""
        write_private(path, asdict(self))

    def is_alive(self) -> bool:
        """True while the very process that wrote the file lives."""
        try:
            process = psutil.Process(self.pid)
            return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - self.created) < 1.0
        except psutil.Error:
            return False


def _ready(content: object) -> Ready | None:
    if not isinstance(content, dict):
        return None
    steps = tuple(Step(**step) for step in content.pop("steps"))
    return Ready(**content, steps=steps)


def _processes(content: object) -> tuple[ProcessStatus, ...]:
    return tuple(ProcessStatus(**item) for item in content) if isinstance(content, list) else ()
