"""The local cloud as the command line uses it, loaded when first needed (it imports much)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from shared.cli.errors import CliError

if TYPE_CHECKING:
    from shared.local.inbox import Message
    from shared.local.report import Check, LogLine, Options, Ready, Status, Step


class LocalCloud(Protocol):
    """The functions of shared.local.cloud."""

    def up(self, options: "Options", *, on_step: "Callable[[Step], None]", on_ready: "Callable[[Ready], None]") -> None:
        """Run until Ctrl-C."""

    def up_detached(self, options: "Options", *, on_step: "Callable[[Step], None]") -> "Ready":
        """Start in the background."""

    def down(self, root: Path) -> bool:
        """Stop it; True if it ran."""

    def status(self, root: Path) -> "Status":
        """What runs, where, and what its functions did."""

    def logs(self, root: Path, function: str | None, *, lines: int, follow: bool) -> "Iterator[LogLine]":
        """Lines of the logs."""

    def reset(self, root: Path) -> tuple[Path, ...]:
        """Forget everything it stored."""

    def doctor(self, root: Path) -> "tuple[Check, ...]":
        """What may keep it from running."""


def running(root: Path) -> "Ready | None":
    """The local cloud that runs and is ready; None as well where its packages are not installed.

    The same as `cloud.current`, without importing all that `up` needs: 0.1 s instead of 0.9 s.
    """
    try:
        from shared.local.layout import Layout
        from shared.local.run_file import RunFile
    except ModuleNotFoundError:
        return None
    run = RunFile.read(Layout.of(root, None).run)
    return run.ready if run is not None and run.is_alive() else None


def inbox(ready: "Ready") -> "tuple[Message, ...]":
    """What the local cloud's functions have mailed since it was started, oldest first."""
    from shared.local import inbox as local_inbox

    return local_inbox.messages(ready.aws_url)


def load() -> LocalCloud:
    """The local cloud of this checkout.

    Raises:
        CliError: its packages are not installed.
    """
    try:
        from shared.local import cloud
    except ModuleNotFoundError as missing:
        raise CliError(
            f"the local cloud needs the package {missing.name}, which is not installed",
            code="not_installed",
            hint="run: uv sync",
        ) from missing
    return cloud
