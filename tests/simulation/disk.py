"""Folders for files that are being read, used again and again: making and removing them costs more than reading."""

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

QUICK = Path("/dev/shm")
PLACE = tempfile.mkdtemp(prefix="histories-", dir=QUICK if QUICK.is_dir() else None)
atexit.register(shutil.rmtree, PLACE, ignore_errors=True)


class Folder:
    """Stands in for `tempfile.TemporaryDirectory`: nobody else has it, though it may hold what was read before."""

    _free: ClassVar[list[str]] = []
    _made = 0

    def __init__(self, prefix: str = "") -> None:
        if not self._free:
            Folder._made += 1
            made = Path(PLACE) / f"{prefix}{self._made}"
            made.mkdir()
            self._free.append(str(made))
        self.name = self._free.pop()

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, *_: object) -> None:
        self._free.append(self.name)
