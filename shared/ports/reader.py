"""Making text of a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from shared.domain.extracted import Extracted
from shared.domain.parts import Part


class Reader(Protocol):
    """Reads one file of any known format.

    Implementations survive hostile bytes: they never crash, hang or exhaust their caller.
    """

    def read(self, source: Path, *, name: str, declared_type: str) -> Extracted:
        """Read the file at `source`.

        Args:
            source: where the bytes are; only ever read.
            name: the file's name as its owner gave it. A hint for the type; never used as a path.
            declared_type: the media type its uploader declared, possibly empty or wrong.

        Raises:
            Rejected: the content can never be read. `code` is stable (`empty_file`, `encrypted`, `corrupt_file`,
                `unsupported_type` …) and `detail` tells the owner why, and what to do about it.
            Unavailable: reading failed for a reason that is not in the file; a retry may help.
        """
        ...

    def read_on(
        self, source: Path, *, name: str, declared_type: str, after: int = 0, characters: int = 0
    ) -> Extracted | Part:
        """Read for some seconds: the whole file, or as many pages as there was time for.

        Args:
            source: as for `read`.
            name: as for `read`.
            declared_type: as for `read`.
            after: pages that were read before; the part begins there.
            characters: of those pages, from the part before.

        Raises:
            Rejected: as `read`.
            Unavailable: as `read`.
        """
        ...

    def assemble(self, source: Path, *, name: str, declared_type: str, parts: Sequence[bytes]) -> Extracted:
        """Make one text of all parts of a file, given as their bodies in order: the same that `read` gives.

        Raises:
            Rejected: as `read`.
            Unavailable: as `read`.
        """
        ...
