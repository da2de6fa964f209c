"""How much a file may cost."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CageLimits:
    """What one file may use before it is refused.

    The kernel enforces memory and time, the readers the rest.
    """

    file_bytes: int = 100 * MEBIBYTE
    memory_bytes: int = 512 * MEBIBYTE
    """Address space of the parsing process, code and libraries included."""
    cpu_seconds: int = 30
    wall_seconds: float = 45.0
    pages: int = 5_000
    part_pages: int = 1_000
    """Pages of a long file that one process reads before it hands over what it has."""
    part_seconds: float = 10.0
    """Seconds after which it does so, too: well within the two limits above, which the rest of the work shares."""
    archive_entries: int = 10_000
    archive_ratio: int = 200
    """Unpacked to packed size of an archive and of any entry in it; small entries are exempt (see `archives`)."""
    archive_bytes: int = 256 * MEBIBYTE
    """Unpacked size of all entries together."""
    depth: int = 200
    """Nesting of elements, objects and messages."""
    text_chars: int = 10_000_000
    blocks: int = 500_000
    """Headings, paragraphs, tables and so on."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) <= 0:
                raise ValueError(f"the limit {name} must be above 0")
