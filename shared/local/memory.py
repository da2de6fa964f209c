"""How much resident memory a process and its children hold together, which is what Lambda limits."""

import resource
from pathlib import Path

import psutil

_PROC = Path("/proc")


def resident_mb(pid: int) -> float:
    """Resident memory of `pid` and everything it started, in MB; 0 when it is gone."""
    if _PROC.joinpath(str(pid), "statm").exists():
        return sum(_resident_pages(one) for one in _family(pid)) * resource.getpagesize() / 1e6
    try:
        process = psutil.Process(pid)
        return sum(float(one.memory_info().rss) for one in (process, *process.children(recursive=True))) / 1e6
    except psutil.Error:
        return 0.0


def peak_mb(pid: int) -> int:
    """The most resident memory the process itself ever held, in MB; what it holds now where that is not kept."""
    try:
        for line in _PROC.joinpath(str(pid), "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6)
    except OSError:
        return 0
    return round(resident_mb(pid))


def _family(pid: int) -> list[int]:
    """`pid` and its descendants, read from the kernel's own lists: walking all processes costs 20 times as much."""
    found, queue = [pid], [pid]
    while queue:
        parent = queue.pop()
        for task in _PROC.joinpath(str(parent), "task").glob("*/children"):
            try:
                children = [int(word) for word in task.read_text().split()]
            except OSError:
                continue
            found += children
            queue += children
    return found


def _resident_pages(pid: int) -> int:
    try:
        return int(_PROC.joinpath(str(pid), "statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
