"""Reading the log files: the last lines of them, and those that come."""

import time
from collections.abc import Iterator
from pathlib import Path

from shared.local.errors import LocalError
from shared.local.layout import Layout
from shared.local.report import LogLine

_FOLLOW_SECONDS = 0.3
_CONSOLES = ("supervisor", "aws", "postgres")


def logs(
    root: Path, function: str | None = None, *, lines: int = 100, follow: bool = False, state: Path | None = None
) -> Iterator[LogLine]:
    """The last lines of the logs, oldest first, and with `follow` every line that comes, until the caller stops.

    Args:
        root: the repository.
        function: `ingest_chunk`, `IngestChunkFunction`, or supervisor, aws, postgres; None for all functions.
        lines: how many of the last lines of each log.
        follow: go on with every line that comes.
        state: the state folder, when it is not root/.lambent.

    Raises:
        LocalError: there is no such log.
    """
    folder = Layout.of(root, state).logs
    files = [_log_file(folder, function)] if function else _function_logs(folder)
    ends = {file: file.stat().st_size for file in files}
    last = [line for file in files for line in _tail(file, lines)]
    yield from sorted(last, key=lambda line: line.text[:24])
    while follow:
        for file in [_log_file(folder, function)] if function else _function_logs(folder):
            size = file.stat().st_size
            start = ends.get(file, 0)
            with file.open("rb") as opened:
                opened.seek(start if size >= start else 0)  # a shorter file has been begun anew
                data = opened.read()
            whole = data[: data.rfind(b"\n") + 1]
            ends[file] = (start if size >= start else 0) + len(whole)
            for text in whole.decode(errors="replace").splitlines():
                yield LogLine(file.stem, text)
        time.sleep(_FOLLOW_SECONDS)


def _function_logs(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.log") if file.stem not in _CONSOLES)


def _log_file(folder: Path, name: str) -> Path:
    for candidate in (name, logical_id(name)):
        if (folder / f"{candidate}.log").is_file():
            return folder / f"{candidate}.log"
    known = ", ".join(file.stem for file in sorted(folder.glob("*.log")))
    raise LocalError(f"there is no log of {name}", f"There are: {known or 'none yet'}.")


def logical_id(name: str) -> str:
    """The logical id of the function in folder `name`: ingest_chunk is IngestChunkFunction."""
    return "".join(part.capitalize() for part in name.split("_")) + "Function"


def _tail(file: Path, lines: int) -> list[LogLine]:
    texts = file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:] if lines > 0 else []
    return [LogLine(file.stem, text) for text in texts]
