"""Notices changed sources, so that the next invocation runs the new code."""

import asyncio
from collections.abc import Callable
from pathlib import Path

_SECONDS = 1.0
_FOLDERS = ("functions", "shared")


async def watch_sources(root: Path, changed: Callable[[], None]) -> None:
    """Calls `changed` when a Python file below functions/ or shared/ appears, goes or is written; until cancelled."""
    known = await asyncio.to_thread(newest, root)
    while True:
        await asyncio.sleep(_SECONDS)
        now = await asyncio.to_thread(newest, root)
        if now != known:
            known = now
            changed()


def newest(root: Path) -> tuple[int, int]:
    """How many Python files there are, and when the youngest was written (nanoseconds)."""
    times = [file.stat().st_mtime_ns for folder in _FOLDERS for file in (root / folder).rglob("*.py")]
    return len(times), max(times, default=0)
