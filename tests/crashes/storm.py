"""Kills -9 of function processes and of Postgres, each proven to have ended a process that lived."""

import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread

import psutil
import psycopg

from shared.local import cloud
from tests.crashes.place import Place

_FUNCTION = re.compile(r"functions\.(\w+)\.app")
_GONE_SECONDS = 10.0
_BACK_SECONDS = 90.0
_POLL_SECONDS = 0.02
_ASK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is killed."""

    database_kills: int
    worker_kills: int
    seed: int
    calm_seconds: tuple[float, float] = (0.4, 1.6)
    """Least and most time between a database that is back and its next end."""
    worker_pause: tuple[float, float] = (0.02, 0.3)
    """Least and most time between two workers' ends."""


@dataclass(slots=True)
class Kills:
    """What was killed."""

    by_kind: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    """Seconds from each end of a database to the first query it answered again."""
    missed: int = 0
    """Processes that had ended by themselves a moment earlier; they do not count."""


class Storm:
    """Kills as planned, in two threads, never further ahead than the documents are.

    Args:
        place: the cloud to do it to.
        plan: how much.
        progress: share (0-1) of the documents that are on their way.
    """

    def __init__(self, place: Place, plan: Plan, progress: Callable[[], float]) -> None:
        self.kills = Kills()
        self._place = place
        self._plan = plan
        self._progress = progress
        self._databases, self._workers = 0, 0
        self._stopped = Event()
        self._failed: list[BaseException] = []
        self._threads = [
            Thread(target=self._guard, args=(self._kill_databases,), daemon=True),
            Thread(target=self._guard, args=(self._kill_workers,), daemon=True),
        ]

    def __enter__(self) -> "Storm":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(_BACK_SECONDS)

    def share(self) -> float:
        """How much (0-1) of the plan is done, by the kind that is furthest behind.

        Raises:
            AssertionError: a kill could not be carried out.
        """
        if self._failed:
            raise AssertionError("the storm broke off") from self._failed[0]
        done = [(self._databases, self._plan.database_kills), (self._workers, self._plan.worker_kills)]
        return min((have / wanted for have, wanted in done if wanted), default=1.0)

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._failed.append(error)
            raise

    def _ahead(self, done: int, wanted: int) -> bool:
        return done / wanted > self._progress() + 0.02

    def _kill_databases(self) -> None:
        chance = random.Random(f"{self._plan.seed}/database")
        wanted = self._plan.database_kills
        while self._databases < wanted and not self._stopped.is_set():
            if self._ahead(self._databases, wanted):
                time.sleep(_POLL_SECONDS)
                continue
            # Every other time not the server but one of its processes: the server then ends all others and recovers.
            process = self._backend(chance) if self._databases % 2 else self._postmaster()
            if process is None or not self._kill(process):
                continue
            self._databases += 1
            self.kills.by_kind["Postgres, a backend" if self._databases % 2 == 0 else "Postgres, the server"] += 1
            self.kills.recoveries.append(self._recovered(time.monotonic()))
            self._stopped.wait(chance.uniform(*self._plan.calm_seconds))

    def _kill_workers(self) -> None:
        chance = random.Random(f"{self._plan.seed}/workers")
        wanted = self._plan.worker_kills
        while self._workers < wanted and not self._stopped.is_set():
            found = {} if self._ahead(self._workers, wanted) else self._functions()
            if not found:
                time.sleep(_POLL_SECONDS)
                continue
            # A function first, then one of its processes: those with many would else draw all the fire.
            name = chance.choice(sorted(found))
            process = chance.choice(found[name])
            if self._kill(process):
                self._workers += 1
                self.kills.by_kind[name] += 1
            self._stopped.wait(chance.uniform(*self._plan.worker_pause))

    def _kill(self, process: psutil.Process) -> bool:
        """kill -9; True when it lived until then and is gone now."""
        try:
            # psutil compares the start time, so that no process of the same number is hit instead.
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                self.kills.missed += 1
                return False
            process.kill()
        except psutil.NoSuchProcess:
            self.kills.missed += 1
            return False
        until = time.monotonic() + _GONE_SECONDS
        while time.monotonic() < until:
            try:
                if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                    return True
            except psutil.NoSuchProcess:
                return True
            time.sleep(0.001)
        raise AssertionError(f"process {process.pid} survived kill -9")

    def _functions(self) -> dict[str, list[psutil.Process]]:
        """The function processes that live now, by function."""
        found = defaultdict(list)
        for process in psutil.Process(self._place.ready.pid).children(recursive=True):
            try:
                command = " ".join(process.cmdline())
            except psutil.Error:
                continue
            if "awslambdaric" in command and (name := _FUNCTION.search(command)):
                found[name[1]].append(process)
        return found

    def _postmaster(self) -> psutil.Process | None:
        for one in cloud.status(self._place.root, state=self._place.state).processes:
            if one.name == "postgres" and one.alive:
                return psutil.Process(one.pid)
        time.sleep(_POLL_SECONDS)
        return None

    def _backend(self, chance: random.Random) -> psutil.Process | None:
        server = self._postmaster()
        if server is None:
            return None
        try:
            children = [child for child in server.children() if "lambent_app" in " ".join(child.cmdline())]
        except psutil.Error:
            return None
        if not children:
            time.sleep(_POLL_SECONDS)
        return chance.choice(children) if children else None

    def _recovered(self, killed: float) -> float:
        """Seconds until the database answers again."""
        while time.monotonic() < killed + _BACK_SECONDS:
            try:
                with psycopg.connect(self._place.database, connect_timeout=2, autocommit=True) as connection:
                    connection.execute("SELECT count(*) FROM tenants")
                    return time.monotonic() - killed
            except psycopg.Error:
                time.sleep(_ASK_SECONDS)
        raise AssertionError("Postgres did not come back")
