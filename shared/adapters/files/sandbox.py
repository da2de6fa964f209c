"""What a process that parses hostile bytes may not do. Every wall here is enforced by the kernel.

Memory, time, file size and open files are limited everywhere. On Linux the child also loses every system call that
could reach a network, another process or a file to write, and every capability of its user: should a file take its
parser over, there is nobody to tell and nothing to change. Calls younger than this list do not exist for it. What it
may still open for reading is `landlock`'s affair.

Which walls stand depends on the kernel, so each is tried and none is relied on alone. Those that need nothing from it
(limits, an empty environment, a concealed parent) stand everywhere. On AWS the function that reads files has, besides,
no way out of its network but the storage gateway, and one role that can only read uploads and write texts.
"""

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterable
from functools import cache

from shared.adapters.files.limits import CageLimits

_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_CAPABILITY_VERSION = 0x20080522
_CAPABILITIES = 64
_PR_CAPBSET_DROP = 24
_OPEN_FILES = 64

# Operations of the kernel's filter machine, and where it finds the call in question.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _KILL, _DENY, _UNKNOWN = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
_OTHER_ABI = 0x40000000
_FIRST_YOUNGER = 440
"""The first call that was younger than this list; the C library does without those that the kernel says it lacks."""

# Per machine: its audit number; calls that are denied; calls that open files, with the position of their flags.
_DENIED_X86 = (
    # sockets; other processes; programs
    *(41, 42, 43, 44, 46, 49, 50, 53, 288, 307),
    *(62, 101, 129, 200, 234, 297, 302, 310, 311, 424, 434, 438),
    *(56, 57, 58, 59, 322, 435),
    # names and attributes of files
    *(76, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94, 132, 133, 188, 189, 190, 197, 198, 199, 235, 258, 259, 260),
    *(261, 263, 264, 265, 266, 268, 280, 304, 316, 437),
    # memory and messages that outlive the process
    *(29, 30, 31, 64, 65, 66, 67, 68, 69, 70, 71, 220, 240, 241, 242, 243),
    # namespaces, mounts, keys, tracing, clocks, kernel
    *(103, 155, 159, 161, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 175, 176, 179, 227, 246, 248, 249),
    *(250, 272, 298, 300, 305, 308, 312, 313, 319, 320, 321, 323, 425, 426, 427, 428, 429, 430, 431, 432, 433),
)
_DENIED_ARM = (
    *(198, 199, 200, 201, 202, 203, 206, 211, 242, 269),
    *(117, 129, 130, 131, 138, 240, 261, 270, 271, 424, 434, 438),
    *(220, 221, 281, 435),
    *(5, 6, 7, 14, 15, 16, 33, 34, 35, 36, 37, 38, 45, 52, 53, 54, 55, 88, 265, 276, 437),
    *(180, 181, 182, 183, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196, 197),
    *(39, 40, 41, 51, 58, 60, 89, 97, 104, 105, 106, 112, 116, 142, 161, 162, 170, 171, 217, 218, 219, 224, 225, 241),
    *(262, 266, 268, 272, 273, 279, 280, 282, 294, 425, 426, 427, 428, 429, 430, 431, 432, 433),
)
_MACHINES = {
    "x86_64": (0xC000003E, _DENIED_X86, ((2, 1), (257, 2))),
    "aarch64": (0xC00000B7, _DENIED_ARM, ((56, 2),)),
}


def conceal() -> None:
    """Hide this process's memory and environment, which hold credentials, from other processes of the same user."""
    _prctl(_PR_SET_DUMPABLE, 0)


def leave_network() -> bool:
    """Move this process into a network of its own without any interface, if the kernel lets it; say whether it did."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))


def renounce() -> bool:
    """Give up every capability, for good; say whether none is left.

    As root, too, a process without them cannot look into one that has concealed itself.
    """
    if sys.platform != "linux":
        return False
    for capability in range(_CAPABILITIES):
        _prctl(_PR_CAPBSET_DROP, capability)
    libc = ctypes.CDLL(None, use_errno=True)
    header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_VERSION, 0))
    return bool(libc.capset(header, ctypes.create_string_buffer(24)) == 0)


def confine(limits: CageLimits, *, output_bytes: int) -> bool:
    """Give up everything that parsing does not need; there is no way back.

    Args:
        limits: memory and time from here on.
        output_bytes: how large a file may become by this process writing to it.

    Returns:
        Whether system calls could be restricted, too.
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, output_bytes)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds, grace=1)
    _limit(resource.RLIMIT_DATA, limits.memory_bytes)
    _limit(resource.RLIMIT_AS, limits.memory_bytes)
    return _restrict_calls()


def _limit(kind: int, value: int, *, grace: int = 0) -> None:
    """Lower a limit, for good `grace` above it; one that is lower already stays."""
    _, hard = resource.getrlimit(kind)
    soft, last = (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard) for wanted in (value, value + grace))
    try:
        resource.setrlimit(kind, (soft, last))
    except ValueError:
        # macOS does not limit address space. The cage is for Linux; elsewhere it is for development only.
        if sys.platform == "linux":
            raise


def _restrict_calls() -> bool:
    program = _filter(platform.machine())
    if sys.platform != "linux" or not program:
        return False
    holder = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(holder)))
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1) and _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header))


@cache
def _filter(machine: str) -> bytes:
    """The program the kernel runs before every system call; empty for machines whose calls are not known here."""
    if machine not in _MACHINES:
        return b""
    architecture, denied, opens = _MACHINES[machine]
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _OTHER_ABI),
        (_RETURN, 0, 0, _DENY),
        (_AT_LEAST, 0, 1, _FIRST_YOUNGER),
        (_RETURN, 0, 0, _UNKNOWN),
        *_deny(denied),
        *_read_only(opens),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _deny(numbers: Iterable[int]) -> list[tuple[int, int, int, int]]:
    return [step for number in numbers for step in ((_EQUAL, 0, 1, number), (_RETURN, 0, 0, _DENY))]


def _read_only(opens: Iterable[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """Opening is allowed for reading only: no flag that writes, creates or truncates."""
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    steps = []
    for number, position in opens:
        steps += [
            (_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _ARGUMENTS + 8 * position),
            (_ANY_BIT, 0, 1, writing),
            (_RETURN, 0, 0, _DENY),
            (_RETURN, 0, 0, _ALLOW),
        ]
    return steps


def _prctl(option: int, value: int, pointer: int = 0) -> bool:
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_ulong(word) for word in (value, pointer, 0, 0)]
    return bool(libc.prctl(option, *words) == 0)
