"""Finding and stopping what a killed supervisor may have left behind."""

import signal

import psutil

_GRACE_SECONDS = 10.0


def is_process(pid: int, name: str) -> bool:
    """True if `pid` lives and its command line mentions `name`: numbers are used again and alone prove nothing."""
    if pid <= 0:
        return False
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and any(name in part for part in process.cmdline())
    except psutil.Error:
        return False


def stop_stale(pid: int, name: str, stop_signal: int = signal.SIGTERM) -> bool:
    """Stops process `pid` if it is what `name` says.

    Returns:
        True if there was such a process.
    """
    if not is_process(pid, name):
        return False
    try:
        process = psutil.Process(pid)
        process.send_signal(stop_signal)
        _, alive = psutil.wait_procs([process], _GRACE_SECONDS)
        for stubborn in alive:
            stubborn.kill()
    except psutil.NoSuchProcess:
        return True
    return True
