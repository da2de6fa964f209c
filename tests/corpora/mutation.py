"""Malformed files by mutation: every mutant is a pure function of the seeds and a number."""

import io
import random
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_MOST_ENTRIES = 60
_EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_OPENINGS = (b"(", b"[", b"{", b"<", b"<a>", b"<div>", b"<<", b"{\\b ", b"> ", b"- ", b"/", b"&", b"\x00", b"%", b'"')
_DIGITS = b"0123456789"


@dataclass(frozen=True, slots=True)
class Seed:
    """A file to start from."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Mutant:
    """A damaged file, how it was made, and what its uploader says it is."""

    name: str
    declared_type: str
    data: bytes
    origin: str
    """Name of the seed and the steps taken, for a report."""


class Mutants:
    """Mutants of some seeds, by number.

    Args:
        seeds: kinds of files (any grouping) with their seeds; a kind is chosen first, so that none outnumbers another.
        seed: the run's own number.
    """

    def __init__(self, seeds: Mapping[str, list[Seed]], seed: int) -> None:
        self._kinds = [sorted(group, key=lambda one: one.name) for _, group in sorted(seeds.items()) if group]
        self._seed = seed

    def make(self, number: int) -> Mutant:
        """The mutant with that number; the same one every time."""
        chance = random.Random(f"{self._seed}/{number}")
        one, other = self._pick(chance), self._pick(chance)
        data, steps = one.data, []
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5))):
            step = chance.choice(_STEPS if zipfile.is_zipfile(io.BytesIO(data)) else _FLAT)
            steps.append(step.__name__.strip("_"))
            data = step(data, other.data, chance) or b"\0"
        name, declared = one.name, ""
        if chance.random() < 0.15:
            steps.append("lie")
            name = chance.choice((other.name, "upload", f"{one.name}.{other.name}", one.name.upper()))
            declared = chance.choice(("application/pdf", "text/plain", "image/png", "application/zip", "x" * 400, "/"))
        return Mutant(name, declared, data, f"{one.name}: {' '.join(steps)}")

    def _pick(self, chance: random.Random) -> Seed:
        return chance.choice(chance.choice(self._kinds))


def _place(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((1, 2, 4, 16, 64, 512, 4096)))


def _cut(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _behead(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return data[chance.randrange(min(len(data), 512) + 1) :]


def _remove(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, end = _place(data, chance)
    return data[:start] + data[end:]


def _overwrite(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, end = _place(data, chance)
    return data[:start] + chance.randbytes(end - start) + data[end:]


def _repeat(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, end = _place(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 3, 40, 400)) + data[end:]


def _flip(data: bytes, other: bytes, chance: random.Random) -> bytes:
    flipped = bytearray(data)
    for _ in range(chance.choice((1, 4, 16, 128)) if flipped else 0):
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def _splice(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """A stretch of another file in the middle of this one."""
    at, _ = _place(data, chance)
    start, _ = _place(other, chance)
    return data[:at] + other[start : start + chance.choice((16, 256, 4096, 65536))] + data[at:]


def _swap_header(data: bytes, other: bytes, chance: random.Random) -> bytes:
    length = chance.choice((4, 8, 32, 128))
    return other[:length] + data[length:]


def _length_field(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """A binary number that may be a length, an offset or a count becomes an extreme one."""
    form = chance.choice(("<H", ">H", "<I", ">I"))
    size = struct.calcsize(form)
    places = range(0, max(0, len(data) - size), 2)
    for _ in range(50 if places else 0):
        at = chance.choice(places)
        if 0 < struct.unpack_from(form, data, at)[0] <= len(data):
            wanted = chance.choice((*_EXTREMES, len(data), len(data) + 1)) & (256**size - 1)
            return data[:at] + struct.pack(form, wanted) + data[at + size :]
    return data


def _written_number(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """A number in digits, as PDF, RTF, XML and mail have them, becomes an extreme one."""
    digits = [at for at in range(len(data)) if data[at] in _DIGITS] if len(data) < 400_000 else []
    if not digits:
        return data
    start = end = chance.choice(digits)
    while end < len(data) and data[end] in _DIGITS:
        end += 1
    wanted = chance.choice((b"0", b"-1", b"1e400", b"4294967296", b"99999999999999999999", b"2147483647", b"9" * 5000))
    return data[:start] + wanted + data[end:]


def _nest(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """The same opening, thousands of times."""
    at, _ = _place(data, chance)
    return data[:at] + chance.choice(_OPENINGS) * chance.choice((50, 300, 5_000, 100_000)) + data[at:]


def _rezip(data: bytes, change: Callable[[list[tuple[str, bytes]]], None]) -> bytes:
    """The archive with its unpacked entries changed; as it was when it cannot be unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()[:_MOST_ENTRIES]
            entries = [(one.filename, archive.read(one)) for one in listed if one.file_size < 2**20]
        change(entries)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, RuntimeError, KeyError, EOFError):
        return data
    except Exception as error:
        if type(error).__module__ not in ("zlib", "struct", "lzma"):
            raise
        return data
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore", UserWarning)  # names that occur twice are meant
        for name, body in entries:
            info = zipfile.ZipInfo(name.replace("\0", "") or "x")
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, body)
    return buffer.getvalue()


def _damage_entry(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """An entry is damaged before it is packed, so that the parser behind the archive gets to see it."""

    def change(entries: list[tuple[str, bytes]]) -> None:
        if entries:
            at = chance.randrange(len(entries))
            name, body = entries[at]
            for _ in range(chance.randint(1, 3)):
                body = chance.choice(_FLAT)(body, other, chance)
            entries[at] = (name, body)

    return _rezip(data, change)


def _double_entry(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Two entries of one name with different contents."""

    def change(entries: list[tuple[str, bytes]]) -> None:
        if entries:
            name, body = chance.choice(entries)
            entries.append((name, _flip(body, other, chance)))

    return _rezip(data, change)


def _swap_entries(data: bytes, other: bytes, chance: random.Random) -> bytes:
    def change(entries: list[tuple[str, bytes]]) -> None:
        if len(entries) > 1:
            one, two = chance.sample(range(len(entries)), 2)
            (first, body), (second, words) = entries[one], entries[two]
            entries[one], entries[two] = (first, words), (second, body)

    return _rezip(data, change)


def _drop_entry(data: bytes, other: bytes, chance: random.Random) -> bytes:
    def change(entries: list[tuple[str, bytes]]) -> None:
        if entries:
            del entries[chance.randrange(len(entries))]

    return _rezip(data, change)


def _blow_up_entry(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """An entry that unpacks to much more than it is: white space, openings, or an archive."""

    def change(entries: list[tuple[str, bytes]]) -> None:
        name = chance.choice(entries)[0] if entries else "x"
        filling = chance.choice((b" " * 10_000_000, b"<a>" * 300_000, b"\0" * 30_000_000, data))
        entries.append((chance.choice((name, "../../slip", "/abs", "a" * 60_000, "inner.zip")), filling))

    return _rezip(data, change)


type _Step = Callable[[bytes, bytes, random.Random], bytes]
_FLAT: tuple[_Step, ...] = (
    _cut,
    _behead,
    _remove,
    _overwrite,
    _repeat,
    _flip,
    _splice,
    _swap_header,
    _length_field,
    _written_number,
    _nest,
)
_ARCHIVE: tuple[_Step, ...] = (_damage_entry, _double_entry, _swap_entries, _drop_entry, _blow_up_entry)
_STEPS: tuple[_Step, ...] = (*_FLAT, *_ARCHIVE, *[_damage_entry] * 6)
