"""A long file is read in parts, each kept as soon as it is read, so that whoever goes on need not begin again.

A part is a function of the file and of its range of pages alone: two readers at once write the same.
"""

import json
import re
from dataclasses import dataclass, replace
from uuid import UUID

from shared.domain.documents import PARTS_PREFIX, Progress, parse_upload_key, upload_key

_MARK = re.compile(r"(?:\d{6}-)?(\d{6})-(\d{6})\.(part|next)")


@dataclass(frozen=True, slots=True)
class Part:
    """What a reader got out of pages `first` to `last` (counted from 0, end exclusive)."""

    first: int
    last: int
    total: int
    """Pages of the whole file."""
    characters: int
    """Of all pages up to `last`, as far as the reader's limit on text counts them."""
    body: bytes
    """For the reader that made it, and nobody else."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far the reading of a file has come, and which parts hold what was read."""

    reader: str
    """Version of the reader that made the parts: another one begins again."""
    total: int
    characters: int
    seconds: float
    """Spent on reading so far."""
    ranges: tuple[tuple[int, int], ...]
    """First and last page (end exclusive) of each part, without gaps."""

    @property
    def done(self) -> int:
        """Pages that are read."""
        return self.ranges[-1][1]

    @property
    def complete(self) -> bool:
        """True when every page is read."""
        return self.done == self.total

    def after(self, part: Part, seconds: float) -> "Checkpoint":
        """With a further part that took so many seconds."""
        spent = round(self.seconds + seconds, 3)
        ranges = (*self.ranges, (part.first, part.last))
        return replace(self, characters=part.characters, seconds=spent, ranges=ranges)


def parts_prefix(tenant_id: UUID, document_id: UUID, generation: int) -> str:
    """Where the parts of a generation are in the work bucket."""
    return f"{PARTS_PREFIX}{upload_key(tenant_id, document_id, generation)}/"


def part_key(prefix: str, first: int, last: int, total: int) -> str:
    """The key of one part; its appearance says how far the reader has come."""
    return f"{prefix}{first:06}-{last:06}-{total:06}.part"


def next_key(prefix: str, done: int, total: int) -> str:
    """The key of a note that its writer has run out of time and another is to go on from page `done`."""
    return f"{prefix}{done:06}-{total:06}.next"


def checkpoint_key(prefix: str) -> str:
    """The key of a generation's checkpoint."""
    return f"{prefix}checkpoint.json"


def parse_part_key(key: str) -> tuple[UUID, UUID, int, Progress] | None:
    """Read the key of a part or of a note to go on: whose it is and how far it says the reading has come."""
    if not key.startswith(PARTS_PREFIX):
        return None
    folder, _, name = key.removeprefix(PARTS_PREFIX).rpartition("/")
    named, mark = parse_upload_key(folder), _MARK.fullmatch(name)
    if named is None or mark is None:
        return None
    done, total = int(mark[1]), int(mark[2])
    return *named, Progress(done, total, done if mark[3] == "next" else 0)


def write_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The JSON of a checkpoint."""
    fields = {name: getattr(checkpoint, name) for name in Checkpoint.__slots__}
    return json.dumps(fields, separators=(",", ":")).encode()


def read_checkpoint(body: bytes) -> Checkpoint | None:
    """Read what `write_checkpoint` wrote; None for anything that makes no sense: then the reading begins again."""
    try:
        fields = json.loads(body)
        read = Checkpoint(
            reader=str(fields["reader"]),
            total=int(fields["total"]),
            characters=int(fields["characters"]),
            seconds=float(fields["seconds"]),
            ranges=tuple((int(first), int(last)) for first, last in fields["ranges"]),
        )
    except (ValueError, LookupError, TypeError):
        return None
    place = 0
    for first, last in read.ranges:
        if not first == place < last <= read.total:
            return None
        place = last
    return read if read.ranges else None
