"""The keeper of the cage: a small, clean process that forks a child for every file.

Started once per execution environment as `python -m shared.adapters.files.cage SOCKET [SYNTAX]`, with an environment
that holds no credentials. It imports the readers, so its children have them at once, but never looks into a file
itself. It needs neither threads nor shared memory, which Lambda does not have. It ends when the other side of the
socket closes.
"""

import gc
import mimetypes
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType, TracebackType

from shared.adapters.files.catalogue import BY_EXTENSION, Format
from shared.adapters.files.landlock import stay_within_libraries
from shared.adapters.files.language import language_of
from shared.adapters.files.limits import CageLimits
from shared.adapters.files.protocol import EXIT_MEMORY, Ending, Request, crashed, decode_parts, encode_outcome
from shared.adapters.files.reading import read_stretch, reader_of
from shared.adapters.files.sandbox import confine, leave_network, renounce
from shared.adapters.files.source import Stretch
from shared.domain.errors import Rejected
from shared.domain.extracted import Extracted
from shared.domain.parts import Part
from shared.ports.syntax import Syntax

_BYTES_PER_CHARACTER = 6
"""JSON may spell a character with that many bytes."""
_OUTPUT_SLACK = 16 * 1024 * 1024
_UNWANTED = frozenset(("numpy", "pandas", "PIL"))


class Unwanted:
    """Keeps libraries out that readers import when they find them, and that cost more than all of the cage."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Refuse unwanted modules; have no opinion on others."""
        if name.partition(".")[0] in _UNWANTED:
            raise ModuleNotFoundError(f"{name} is kept out of the cage", name=name)
        return None


class Child:
    """The life of a forked child: whatever happens in it ends here, in an outcome or an exit status."""

    def __init__(self, outcome: int) -> None:
        self._outcome = outcome

    def __enter__(self) -> "Child":
        return self

    def finish(self, outcome: Extracted | Part | Rejected) -> None:
        """Leave an outcome and end the process."""
        data = memoryview(encode_outcome(outcome))
        while data:
            data = data[os.write(self._outcome, data) :]
        os._exit(0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Nothing may unwind into the keeper's own loop, of which this process is a copy.
        try:
            if isinstance(error, MemoryError):
                os._exit(EXIT_MEMORY)
            self.finish(error if isinstance(error, Rejected) else crashed(kind.__name__ if kind else "no outcome"))
        finally:
            os._exit(1)


def main(arguments: Sequence[str]) -> None:
    """Answer requests until the other side closes."""
    leave_network()
    sys.meta_path.insert(0, Unwanted)
    syntax = _syntax(arguments[1]) if len(arguments) > 1 else None
    language_of("Load the detector now, so that no child has to do it again.")
    # It would look for the machine's own lists later, when they cannot be opened any more.
    mimetypes.init(())
    renounce()
    stay_within_libraries()
    with socket.socket(fileno=int(arguments[0])) as channel:
        while received := _receive(channel):
            line, descriptors = received
            request = Request.decode(line)
            _prepare(request.name, syntax)
            ending = _supervise(request, syntax, channel, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            channel.sendall(ending.encode())


def _syntax(place: str) -> Syntax:
    """Build the implementation that `module:class` names. The function's own code chose it, not a file."""
    module, _, name = place.partition(":")
    built: Syntax = getattr(import_module(module), name)()
    return built


def _receive(channel: socket.socket) -> tuple[bytes, list[int]] | None:
    """The next line and the three descriptors that come with it; None at the end."""
    line, descriptors, _, _ = socket.recv_fds(channel, 65536, 3)
    while line and not line.endswith(b"\n"):
        line += channel.recv(65536)
    return (line, descriptors) if line else None


def _prepare(name: str, syntax: Syntax | None) -> None:
    """Import what the file's name makes likely: here it stays imported. A name can only choose among known modules."""
    format_: Format | None = BY_EXTENSION.get(name.lower().rpartition(".")[2])
    if format_ is not None:
        reader_of(format_)
        if format_.language and syntax is not None:
            syntax.definitions("", format_.language)


def _supervise(request: Request, syntax: Syntax | None, channel: socket.socket, descriptors: list[int]) -> Ending:
    """Fork a child for the file and see it to its end."""
    started = time.monotonic()
    gc.freeze()
    # The child holds the writing end; when it ends, however it ends, the reading end says so.
    alive, life = os.pipe()
    child = os.fork()
    if child == 0:
        channel.close()
        os.close(alive)
        with Child(descriptors[1]) as self:
            self.finish(_parse(request, syntax, descriptors[0], descriptors[2]))
    os.close(life)
    ended, _, _ = select.select([alive], [], [], request.limits.wall_seconds)
    os.close(alive)
    # Harmless to a child that is ending by itself, final for one that only closed the pipe.
    os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    return Ending(
        status=os.waitstatus_to_exitcode(status),
        timed_out=not ended,
        peak_bytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        cpu_seconds=round(usage.ru_utime + usage.ru_stime, 4),
        wall_seconds=round(time.monotonic() - started, 4),
    )


def _parse(request: Request, syntax: Syntax | None, descriptor: int, parts: int) -> Extracted | Part:
    """Read the file, having given up everything else first."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        # What a library prints about a file is the file's own words: they have no place in our logs.
        os.dup2(nowhere, standard)
    os.close(nowhere)
    limits: CageLimits = request.limits
    confine(limits, output_bytes=limits.text_chars * _BYTES_PER_CHARACTER + _OUTPUT_SLACK)
    with open(descriptor, "rb", closefd=False) as file:
        data = file.read(limits.file_bytes + 1)
    stretch = Stretch(request.after, request.characters)
    if request.assemble:
        with open(parts, "rb", closefd=False) as file:
            stretch = Stretch(parts=decode_parts(file.read()))
    return read_stretch(
        data,
        name=request.name,
        declared_type=request.declared_type,
        limits=limits,
        syntax=syntax,
        stretch=stretch,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
