"""Real and hostile files: every one is read, or refused with a reason; none sticks, crashes or exceeds the cage."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from shared.domain.chunking import chunk
from shared.domain.chunks import Chunking
from shared.domain.errors import Rejected
from shared.domain.extracted import Extracted
from shared.domain.retrying import UNREADABLE

_DATA = (Path(__file__).parents[2] / "../shared/data").resolve()
_FOLDERS = ("files", "hostile")
_NEVER = {"parser_crashed", "parser_memory", "parser_timeout"}
"""No file of these collections is that bad."""
# Files of these kinds are in the collections to be refused.
_REFUSED_SUFFIXES = {".doc", ".xls", ".ppt", ".jpg", ".jpeg", ".png", ".tiff", ".heic", ".bmp", ".wav", ".mp3", ".m4a"}
_REFUSED_SUFFIXES |= {".zip", ".bin"}

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not _DATA.is_dir(), reason="the data folder is not beside the repository"),
]


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one file."""

    path: Path
    outcome: Extracted | Rejected
    seconds: float
    peak_bytes: int

    @property
    def code(self) -> str:
        """The reason it was refused, or `read`."""
        return self.outcome.code if isinstance(self.outcome, Rejected) else "read"


@pytest.fixture(scope="module")
def readings() -> Iterator[list[Reading]]:
    reader = CagedFilesReader(syntax=TreeSitterSyntax)
    found = []
    for path in sorted(path for folder in _FOLDERS for path in (_DATA / folder).rglob("*") if path.is_file()):
        started = time.perf_counter()
        outcome: Extracted | Rejected
        try:
            outcome = reader.read(path, name=path.name, declared_type="")
        except Rejected as error:
            outcome = error
        ending = reader.last_ending
        found.append(Reading(path, outcome, time.perf_counter() - started, ending.peak_bytes if ending else 0))
    yield found
    reader.close()


def test_read_every_file_ends_as_text_or_with_a_known_reason(readings: list[Reading]) -> None:
    _print_table(readings)
    assert len(readings) > 300
    assert {reading.code for reading in readings} <= UNREADABLE - _NEVER | {"read"}
    for reading in readings:
        if isinstance(reading.outcome, Rejected):
            assert len(reading.outcome.detail) > 15


def test_read_every_file_stays_within_the_cage(readings: list[Reading]) -> None:
    limits = CagedFilesReader().limits
    assert max(reading.peak_bytes for reading in readings) < limits.memory_bytes
    assert max(reading.seconds for reading in readings) < limits.wall_seconds


def test_read_every_file_that_can_be_read_is(readings: list[Reading]) -> None:
    refused = [
        reading.path.name
        for reading in readings
        if reading.code in ("unsupported_type", "corrupt_file") and reading.path.suffix not in _REFUSED_SUFFIXES
    ]
    # One PDF whose cross-reference table PDFium cannot make out.
    assert refused == ["unreadablemetadata.pdf"]


def test_read_every_text_is_sound_and_can_be_cut(readings: list[Reading]) -> None:
    for reading in readings:
        if not isinstance(reading.outcome, Extracted):
            continue
        extracted = reading.outcome
        assert extracted.problems() == [], reading.path
        position = 0
        for block in extracted.blocks:
            assert not extracted.text[position : block.start].strip(), reading.path
            position = block.end
        assert not extracted.text[position:].strip(), reading.path
        pieces = chunk(extracted, Chunking())
        assert pieces, reading.path
        assert max(piece.tokens for piece in pieces) <= Chunking().size, reading.path


def _print_table(readings: list[Reading]) -> None:
    print(f"\n{'suffix':<10}{'files':>6}{'read':>6}{'refused':>9}{'slowest s':>11}{'peak MiB':>10}")
    for suffix in sorted({reading.path.suffix for reading in readings}):
        some = [reading for reading in readings if reading.path.suffix == suffix]
        read = sum(1 for reading in some if reading.code == "read")
        slowest, peak = max(one.seconds for one in some), max(one.peak_bytes for one in some) / 2**20
        print(f"{suffix or '(none)':<10}{len(some):>6}{read:>6}{len(some) - read:>9}{slowest:>11.2f}{peak:>10.0f}")
    print(dict(Counter(reading.code for reading in readings)))
