"""A local cloud that starts nothing and remembers what it was told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shared.local.errors import AlreadyRunning, StepFailed
from shared.local.report import Check, FunctionStatus, LogLine, Options, ProcessStatus, Ready, Status, Step

TENANT, PROJECT = "01a1ffdb-0000-7000-8000-000000000001", "01a1ffdb-0000-7000-8000-000000000002"
STEPS = (Step("postgres", 1.2, "started"), Step("deploy", 3.4, "deployed 14 functions"))


@dataclass
class FakeCloud:
    """The functions of shared.local.cloud."""

    ready: Ready | None = None
    url: str = "http://127.0.0.1:9"
    api_key: str = "lam_local"
    tenant_id: str = TENANT
    fails: bool = False
    told: list[object] = field(default_factory=list)
    checks: tuple[Check, ...] = (Check("python", True, "3.12.4"),)
    problems: tuple[str, ...] = ()

    def up(self, options: Options, *, on_step: Callable[[Step], None], on_ready: Callable[[Ready], None]) -> None:
        on_ready(self.up_detached(options, on_step=on_step))
        self.ready = None

    def up_detached(self, options: Options, *, on_step: Callable[[Step], None]) -> Ready:
        self.told.append(options)
        if self.ready:
            raise AlreadyRunning("a local cloud runs already (process 7)", "lambent down")
        on_step(STEPS[0])
        if self.fails:
            raise StepFailed("deploy: the template has no Resources", "lambent doctor")
        on_step(STEPS[1])
        self.ready = Ready(
            self.url, self.api_key, self.tenant_id, PROJECT, "http://127.0.0.1:9", "http://127.0.0.1:5", 7, 4.6, STEPS
        )
        return self.ready

    def down(self, root: Path) -> bool:
        self.told.append("down")
        was, self.ready = self.ready, None
        return was is not None

    def status(self, root: Path) -> Status:
        if not self.ready:
            return Status(running=False)
        function = FunctionStatus("SearchFunction", 2, 1, 2, 812.0, 12345, 1, 0, 0, 23.4, "ValueError: no")
        return Status(
            True,
            self.ready,
            "2026-03-02T09:00:00Z",
            (ProcessStatus("postgres", 8, True, "socket"),),
            (function,),
            self.problems,
        )

    def logs(self, root: Path, function: str | None, *, lines: int, follow: bool) -> Iterator[LogLine]:
        self.told.append((function, lines, follow))
        yield LogLine(function or "search", "2026-03-02T09:00:00Z started")
        yield LogLine(function or "search", "2026-03-02T09:00:01Z [bold]done\x1b[31m")
        if follow:
            raise KeyboardInterrupt

    def reset(self, root: Path) -> tuple[Path, ...]:
        self.told.append("reset")
        return (root / ".lambent" / "postgres",)

    def doctor(self, root: Path) -> tuple[Check, ...]:
        return self.checks
