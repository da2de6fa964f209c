"""Stand-ins for a parser that its file has taken over: each does one thing the cage must stop."""

import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from shared.ports.syntax import Definition


def _eat_memory() -> None:
    hoard = []
    while True:
        hoard.append(bytearray(8 * 1024 * 1024))


def _eat_memory_natively() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    while address := libc.malloc(ctypes.c_size_t(8 * 1024 * 1024)):
        ctypes.memset(address, 1, 8 * 1024 * 1024)
    os.abort()


def _burn() -> None:
    while True:
        pass


def _sleep() -> None:
    # Uses no processor time, so only the wall clock can stop it.
    while True:
        time.sleep(60)


def _close_everything_and_sleep() -> None:
    os.closerange(0, 64)
    while True:
        time.sleep(60)


def _fault() -> None:
    ctypes.string_at(0)


def _exit_silently() -> None:
    os._exit(0)


def _forge() -> None:
    """Write an outcome that is no outcome, and leave."""
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b'read\n{"text": "forged"}')
        except OSError:
            continue
    os._exit(0)


def _forge_well() -> None:
    """Write a sound outcome that speaks of another file."""
    body = (
        '{"text":"forged","media_type":"text/plain","content_hash":"%s","title":"","language":"","size":1,'
        '"pages":[],"blocks":[],"warnings":[],"properties":{}}' % ("0" * 64)
    )
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"read\n" + body.encode())
        except OSError:
            continue
    os._exit(0)


def _flood() -> None:
    """Write a sound beginning, then a list of millions of empty objects: little to write, much to hold."""
    body = (
        b'read\n{"text":"x","media_type":"text/plain","content_hash":"","title":"","language":"","size":1,'
        b'"warnings":[],"properties":{},"pages":[],"blocks":[{}' + b",{}" * 6_000_000 + b"]}"
    )
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, body)
        except OSError:
            continue
    os._exit(0)


def _write_endlessly() -> None:
    block = bytes(1024 * 1024)
    for descriptor in range(3, 64):
        try:
            while True:
                os.write(descriptor, block)
        except OSError:
            continue


_ATTACKS: dict[str, Callable[[], None]] = {
    name.removeprefix("_"): function
    for name, function in list(globals().items())
    if callable(function) and name.startswith("_") and not name.startswith("__")
}


def _attempt(action: Callable[[], object]) -> str:
    try:
        action()
    except OSError as error:
        return f"refused {error.errno}"
    return "allowed"


_LIBC = ctypes.CDLL(None, use_errno=True)


def _libc(name: str, *arguments: object) -> None:
    if getattr(_LIBC, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


_CALLS: dict[str, Callable[[], object]] = {
    "socket": socket.socket,
    "socketpair": socket.socketpair,
    "fork": os.fork,
    "execute": lambda: os.execv("/bin/true", ["/bin/true"]),
    "kill_parent": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "create": lambda: Path("/tmp/cage-was-left").write_text("x"),
    "append": lambda: os.open(__file__, os.O_WRONLY | os.O_APPEND),
    "unlink": lambda: Path(__file__).unlink(),
    "rename": lambda: Path(__file__).rename("/tmp/elsewhere"),
    "mkdir": lambda: Path("/tmp/cage-folder").mkdir(),
    "chmod": lambda: Path(__file__).chmod(0o777),
    "touch": lambda: os.utime(__file__),
    "shared_memory": lambda: _libc("shmget", 0, 4096, 0o1600),
    "message_queue": lambda: _libc("msgget", 0, 0o1600),
}
_OPENINGS: dict[str, Callable[[], object]] = {
    "look_into_parent": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "list_processes": lambda: list(Path("/proc").iterdir()),
    "read_passwords": lambda: Path("/etc/passwd").read_bytes(),
    "list_uploads": lambda: list(Path("/tmp").iterdir()),
}


_REPORTS = {"report": _CALLS, "report_files": _OPENINGS}


class HostileSyntax:
    """Does what the first line of the code asks for; reports what the cage allows as the names of definitions."""

    def definitions(self, text: str, language: str) -> list[Definition]:
        """See `shared.ports.syntax.Syntax`."""
        wish = text.partition("\n")[0].removeprefix("# ").strip()
        if wish in _ATTACKS:
            _ATTACKS[wish]()
        names = []
        if wish in _REPORTS:
            names = [f"{name}: {_attempt(call)}" for name, call in _REPORTS[wish].items()]
        elif wish.startswith("look_into"):
            environment = Path(f"/proc/{wish.split()[1]}/environ")
            names = [_attempt(environment.read_bytes)]
        elif wish == "environment":
            names = sorted(os.environ)
        return [Definition(0, len(text), " | ".join(names))] if names else []
