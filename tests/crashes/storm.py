"""Kills -9 of function processes and of Postgres, each proven to have ended a process that lived."""

import math
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Set
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread

import httpx
import psutil
import psycopg

from shared.local import cloud
from shared.local.errors import InvokeFailed
from tests.crashes.place import Place

_FUNCTION = re.compile(r"functions\.(\w+)\.app")
_GONE_SECONDS = 10.0
_BACK_SECONDS = 90.0
_POLL_SECONDS = 0.02
_AIM_SECONDS = 3.0
"""How long it may take until a stage whose turn it is has something to do; then any process is hit instead."""
_ASK_SECONDS = 0.1
_LOOK_SECONDS = 0.01
STAGES = ("ingest_receive", "ingest_extract", "ingest_chunk", "ingest_embed", "ingest_publish")
_AIMS = (*STAGES, "sweep", "")
"""In turn: each in the middle of an invocation; '' is any process, whatever it does."""


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
    into_work: float = 0.012
    """Most seconds into an invocation before its process is stopped."""
    seconds: float = math.inf
    """When these are over, so is the storm, whatever is left of it."""


@dataclass(frozen=True, slots=True)
class _Processes:
    at_work: set[int]
    idle: set[int]


@dataclass(slots=True)
class Kills:
    """What was killed."""

    by_kind: Counter[str] = field(default_factory=Counter)
    at_work: Counter[str] = field(default_factory=Counter)
    """Of these, function processes in the middle of an invocation, proven: they were stopped, the host still waited for
    their answer, and then they were killed.
    """
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
        self._until = time.monotonic() + plan.seconds
        self._host = httpx.Client(base_url=place.ready.host_url, timeout=10, trust_env=False)
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
        if self._over():
            return 1.0
        done = [(self._databases, self._plan.database_kills), (self._workers, self._plan.worker_kills)]
        return min((have / wanted for have, wanted in done if wanted), default=1.0)

    def _over(self) -> bool:
        return self._stopped.is_set() or time.monotonic() > self._until

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
        while self._databases < wanted and not self._over():
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
        wanted, turn = self._plan.worker_kills, 0
        while self._workers < wanted and not self._over():
            if self._ahead(self._workers, wanted):
                time.sleep(_POLL_SECONDS)
                continue
            aim = _AIMS[turn % len(_AIMS)]
            turn += 1
            if (aim and self._kill_at_work(chance, aim)) or self._kill_any(chance):
                self._workers += 1
            self._stopped.wait(chance.uniform(*self._plan.worker_pause))

    def _kill_at_work(self, chance: random.Random, name: str) -> bool:
        """Kill a process of this function in the middle of an invocation, if one comes soon.

        Its processes are stopped, so that none can begin and end an invocation unseen; the one that is given one may go
        on for a moment, and is stopped again.
        """
        until, stopped = time.monotonic() + _AIM_SECONDS, dict[int, psutil.Process]()
        if name == "sweep":
            Thread(target=self._sweep, daemon=True).start()
        try:
            while time.monotonic() < until and not self._over():
                found = self._processes(name)
                # Not those that are starting: stopped, they would never be given anything.
                stopped |= self._stop((found.at_work | found.idle) - stopped.keys())
                for pid in found.at_work & stopped.keys():
                    if self._kill_in_the_middle(chance, name, stopped[pid]):
                        del stopped[pid]
                        return True
                time.sleep(_LOOK_SECONDS)
            return False
        finally:
            for process in stopped.values():
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def _sweep(self) -> None:
        """The schedule alone comes too seldom."""
        with suppress(InvokeFailed, OSError):
            cloud.invoke(self._place.root, "sweep", {}, state=self._place.state)

    def _kill_in_the_middle(self, chance: random.Random, name: str, process: psutil.Process) -> bool:
        """Let a stopped process go on with what it was given for a moment, and kill it if that was not enough."""
        try:
            process.resume()
            time.sleep(chance.uniform(0, self._plan.into_work))
            process.suspend()
        except psutil.NoSuchProcess:
            return False
        # Stopped, it can answer no more: if the host waits for it, it is in the middle of something.
        if process.pid not in self._processes(name).at_work or not self._kill(process):
            return False
        self.kills.by_kind[name] += 1
        self.kills.at_work[name] += 1
        return True

    def _stop(self, pids: Set[int]) -> dict[int, psutil.Process]:
        stopped = {}
        for pid in pids:
            with suppress(psutil.NoSuchProcess):
                stopped[pid] = psutil.Process(pid)
                stopped[pid].suspend()
        return stopped

    def _processes(self, name: str) -> _Processes:
        """Ids of this function's processes that have an invocation now, and of those that wait for one."""
        logical = "".join(part.title() for part in name.split("_")) + "Function"
        stats = self._host.get("/stats").json()
        (own,) = [one for one in stats if one["name"] == logical]
        return _Processes(set(own["at_work"]), set(own["idle"]))

    def _kill_any(self, chance: random.Random) -> bool:
        """Kill any function process, whatever it does."""
        found = self._functions()
        if not found:
            return False
        # A function first, then one of its processes: those with many would else draw all the fire.
        name = chance.choice(sorted(found))
        if self._kill(chance.choice(found[name])):
            self.kills.by_kind[name] += 1
            return True
        return False

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
