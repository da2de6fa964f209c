"""How much resident memory a process and its children hold together, which is what Lambda limits."""

import os
import resource

import psutil

_PROC = "/proc"
# Larger than any file of the kernel's that is read here.
_WHOLE = 65_536


def resident_mb(pid: int) -> float:
    """Resident memory of `pid` and everything it started, in MB; 0 when it is gone."""
    if _read(f"{_PROC}/{pid}/statm"):
        return sum(_resident_pages(one) for one in _family(pid)) * resource.getpagesize() / 1e6
    try:
        process = psutil.Process(pid)
        return sum(float(one.memory_info().rss) for one in (process, *process.children(recursive=True))) / 1e6
    except psutil.Error:
        return 0.0


def peak_mb(pid: int) -> int:
    """The most resident memory the process itself ever held, in MB; what it holds now where that is not kept."""
    _, found, rest = _read(f"{_PROC}/{pid}/status").partition(b"\nVmHWM:")
    if found:
        return round(int(rest.split(None, 1)[0]) * 1024 / 1e6)
    return round(resident_mb(pid))


def _family(pid: int) -> list[int]:
    """`pid` and its descendants, read from the kernel's own lists: walking all processes costs 20 times as much."""
    found, queue = [pid], [pid]
    while queue:
        try:
            with os.scandir(f"{_PROC}/{queue.pop()}/task") as threads:
                children = [int(word) for thread in threads for word in _read(f"{thread.path}/children").split()]
        except OSError:
            continue
        found += children
        queue += children
    return found


def _resident_pages(pid: int) -> int:
    words = _read(f"{_PROC}/{pid}/statm").split(None, 2)
    return int(words[1]) if len(words) > 1 else 0


def _read(path: str) -> bytes:
    """A file of the kernel's, empty when its process is gone. Several times a second, so without what `open` builds."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _WHOLE)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
