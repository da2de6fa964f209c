"""Campaigns that live beside the other tests: begun with the session, behind it in priority, waited for by their tests.

They take minutes of all processors, of which the other tests leave a good part idle.
"""

import os
import signal
import subprocess
import sys

from tests.simulation.campaign import ENVIRONMENT, ROOT
from tests.simulation.mutants import MUTANTS

NICE = 10
HISTORIES = 20_000
PROCESSES = os.cpu_count() or 1
CAMPAIGN = ("--histories", str(HISTORIES), "--seed", "1", "--report")
MUTANT_JOBS = [
    ("--mutants", *(str(number) for number in range(len(MUTANTS))[first::PROCESSES])) for first in range(PROCESSES)
]


class Beside:
    """Processes of `python -m tests.simulation`, each in a group of its own that can be ended whole."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, ...], subprocess.Popen[str]] = {}

    def begin(self, *arguments: str) -> None:
        """Start one, unless it was."""
        if arguments not in self._running:
            self._running[arguments] = subprocess.Popen(
                [sys.executable, "-m", "tests.simulation", "--nice", str(NICE), *arguments],
                cwd=ROOT,
                env={**os.environ, **ENVIRONMENT},
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )

    def told(self, *arguments: str) -> str:
        """What it prints; started now if it was not.

        Raises:
            RuntimeError: it failed; why is on stderr.
        """
        self.begin(*arguments)
        process = self._running[arguments]
        told, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"a process of the simulation ended with {process.returncode}")
        return told

    def end(self) -> None:
        """End what still runs."""
        for process in self._running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


BESIDE = Beside()
