"""Which files the cage may open at all: code and libraries, and nothing of anybody's.

Without it a parser that was taken over could put what it finds on the disk, or in `/proc`, into its own document's
text, which its owner then reads. Linux from 5.13 on has Landlock; on an older kernel a file's mode, and the concealment
of the process that holds credentials (`sandbox.conceal`), are the walls that are left.
"""

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

import shared

_PR_SET_NO_NEW_PRIVS = 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_EVERYTHING = (1 << 13) - 1
"""All rights of the first version: execute, write, read, list, remove, and make each kind of file."""
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/zoneinfo")


def stay_within_libraries() -> bool:
    """Lose every file but code and libraries, for good, children included; say whether the kernel agreed.

    Files that are open stay so, and so do those that come through a socket.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    rights = ctypes.create_string_buffer(struct.pack("Q", _EVERYTHING))
    ruleset = libc.syscall(_CREATE_RULESET, rights, 8, 0) if sys.platform == "linux" else -1
    if ruleset < 0:
        return False
    try:
        _allow(libc, ruleset, _readable(), _READ_FILE | _READ_DIR)
        _allow(libc, ruleset, [Path(os.devnull)], _READ_FILE | _WRITE_FILE)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _readable() -> Iterator[Path]:
    """Where code lies. Of the folder this code is in only the package: a checkout holds the local cloud's passwords."""
    packages = [Path(place).absolute() for place in shared.__path__]
    yield from packages
    for entry in (*sys.path, sysconfig.get_config_var("LIBDIR") or "", *_LIBRARIES):
        place = Path(entry).absolute()
        if entry and place not in (package.parent for package in packages):
            yield place
    yield Path(sys.base_prefix) / "lib"


def _allow(libc: ctypes.CDLL, ruleset: int, places: Iterable[Path], rights: int) -> None:
    for place in places:
        if not place.exists():
            continue
        wanted = rights if place.is_dir() else rights & ~_READ_DIR
        descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = ctypes.create_string_buffer(struct.pack("=Qi", wanted, descriptor))
            libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
        finally:
            os.close(descriptor)
