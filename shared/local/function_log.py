"""The log file of one function: every line its processes write, with the time, and START, END and REPORT lines."""

import time
from pathlib import Path

_MAX_BYTES = 5 * 1024 * 1024
_MAX_LINE = 256 * 1024


class FunctionLog:
    """Appends to `<name>.log`; when that grows beyond 5 MB it becomes `<name>.log.1` and the older one goes."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.log"
        folder.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab", buffering=0)
        self._size = self._path.stat().st_size

    def write(self, text: bytes) -> None:
        """Adds one line; breaks inside it (the runtime puts carriage returns into tracebacks) begin new lines."""
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)).encode() + b".%03dZ " % int(now % 1 * 1000)
        lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n").split(b"\n")
        data = b"".join(stamp + line[:_MAX_LINE] + b"\n" for line in lines)
        if self._size + len(data) > _MAX_BYTES:
            self._rotate()
        self._file.write(data)
        self._size += len(data)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        self._file = self._path.open("ab", buffering=0)
        self._size = 0


class LineBuffer:
    """Cuts a process's output into lines for a log; the last, unfinished one waits for its end."""

    def __init__(self, log: FunctionLog) -> None:
        self._log = log
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Takes output as it came from the pipe."""
        whole, end, self._rest = (self._rest + data).rpartition(b"\n")
        if end:
            self._log.write(whole)
        if len(self._rest) > _MAX_LINE:
            self.flush()

    def flush(self) -> None:
        """Writes what has no line end yet."""
        if self._rest:
            self._log.write(self._rest)
            self._rest = b""
