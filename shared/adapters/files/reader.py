"""The `Reader` of files of every supported format."""

import hashlib
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from shared.adapters.files.catalogue import FORMATS
from shared.adapters.files.keeper import Keeper
from shared.adapters.files.limits import CageLimits
from shared.adapters.files.protocol import EXIT_MEMORY, Ending, Request, crashed, decode_outcome, encode_parts
from shared.domain.errors import Rejected, Unavailable
from shared.domain.extracted import Extracted
from shared.domain.parts import Part
from shared.ports.syntax import Syntax

_MEDIA_TYPES = frozenset(format_.media_type for format_ in FORMATS.values())
_MEMORY_SHARE = 0.5
"""A child that died abruptly having used this much of its memory is taken to have died of that."""


class CagedFilesReader:
    """Reads files in a caged child process, one at a time; what comes back is checked as if a stranger had sent it.

    Args:
        limits: what a file may cost.
        syntax: the class that knows programming languages, built in the cage without arguments; without one, code is
            cut at empty lines.
    """

    def __init__(self, limits: CageLimits | None = None, *, syntax: type[Syntax] | None = None) -> None:
        self.limits = limits or CageLimits()
        self.last_ending: Ending | None = None
        """How the child of the latest file ended: its memory and time."""
        self._syntax = f"{syntax.__module__}:{syntax.__qualname__}" if syntax else ""
        self._keeper: Keeper | None = None
        self._lock = Lock()

    def read(self, source: Path, *, name: str, declared_type: str) -> Extracted:
        """Read one file, in as many processes as it takes. See `shared.ports.reader.Reader`."""
        parts: list[bytes] = []
        after = characters = 0
        while True:
            read = self.read_on(source, name=name, declared_type=declared_type, after=after, characters=characters)
            if isinstance(read, Extracted):
                return read
            parts.append(read.body)
            after, characters = read.last, read.characters
            if after == read.total:
                return self.assemble(source, name=name, declared_type=declared_type, parts=parts)

    def read_on(
        self, source: Path, *, name: str, declared_type: str, after: int = 0, characters: int = 0
    ) -> Extracted | Part:
        """Read one file, or the next part of it. See `shared.ports.reader.Reader`."""
        read = self._caged(source, Request(name, declared_type, self.limits, after, characters), ())
        expected = isinstance(read, Extracted) or (
            read.first == after and characters <= read.characters and read.total <= self.limits.pages
        )
        if not expected or (isinstance(read, Extracted) and after):
            raise crashed("an answer to another question")
        return read

    def assemble(self, source: Path, *, name: str, declared_type: str, parts: Sequence[bytes]) -> Extracted:
        """Make one text of all parts of a file. See `shared.ports.reader.Reader`."""
        read = self._caged(source, Request(name, declared_type, self.limits, assemble=True), parts)
        if not isinstance(read, Extracted):
            raise crashed("an answer to another question")
        return read

    def _caged(self, source: Path, request: Request, parts: Sequence[bytes]) -> Extracted | Part:
        try:
            with (
                source.open("rb") as file,
                tempfile.TemporaryFile() as outcome,
                tempfile.TemporaryFile() as known,
            ):
                size = source.stat().st_size
                self._check_size(size)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)
                if parts:
                    known.write(encode_parts(parts))
                    known.seek(0)
                ending = self._ask(request, file.fileno(), outcome.fileno(), known.fileno())
                self._check_ending(ending)
                outcome.seek(0)
                read = decode_outcome(outcome.read(), self.limits)
        except OSError as error:
            raise Unavailable("the file could not be handed to its reader") from error
        if isinstance(read, Part):
            return read
        if (read.content_hash, read.size) != (digest, size) or not self._plausible(read):
            raise crashed("implausible outcome")
        return read

    def close(self) -> None:
        """End the cage. Reading another file opens it again."""
        with self._lock:
            if self._keeper is not None:
                self._keeper.close()
                self._keeper = None

    def _check_size(self, size: int) -> None:
        if size == 0:
            raise Rejected("the file is empty", code="empty_file")
        if size > self.limits.file_bytes:
            raise Rejected(
                f"the file has {size:,} bytes, more than {self.limits.file_bytes:,}; split it", code="file_too_large"
            )

    def _ask(self, request: Request, source: int, outcome: int, parts: int) -> Ending:
        with self._lock:
            if self._keeper is None or not self._keeper.usable:
                self._keeper = Keeper(self._syntax)
            self.last_ending = self._keeper.ask(request, source=source, outcome=outcome, parts=parts)
            return self.last_ending

    def _check_ending(self, ending: Ending) -> None:
        """Raise Rejected for a child that did not end by itself."""
        # The kernel warns with SIGXCPU, which the child may ignore for one more second before it is killed.
        spent = ending.status < 0 and ending.cpu_seconds >= self.limits.cpu_seconds
        if ending.timed_out or spent or ending.status == -signal.SIGXCPU:
            raise Rejected(
                f"reading the file took more than {self.limits.cpu_seconds} seconds; split it, or simplify it",
                code="parser_timeout",
            )
        starved = ending.status < 0 and ending.peak_bytes > _MEMORY_SHARE * self.limits.memory_bytes
        if ending.status == EXIT_MEMORY or starved:
            raise Rejected(
                f"reading the file takes more than {self.limits.memory_bytes // 2**20} MiB of memory; split it",
                code="parser_memory",
            )
        if ending.status:
            raise crashed(f"exit status {ending.status}")

    def _plausible(self, extracted: Extracted) -> bool:
        return extracted.media_type in _MEDIA_TYPES and len(extracted.text) <= self.limits.text_chars
