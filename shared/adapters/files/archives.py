"""Zip containers, measured before anything in them is unpacked."""

import struct
import zipfile
import zlib
from io import BytesIO

from shared.adapters.files.limits import MEBIBYTE, CageLimits
from shared.domain.errors import Rejected

_RATIO_FREE = MEBIBYTE
"""Smaller entries may have any ratio: a page of spaces compresses a thousandfold and harms nobody."""
_ENCRYPTED_FLAG = 0x1
# RuntimeError stands for NotImplementedError, too: packing methods that are not known.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, OSError, RuntimeError)


def open_archive(data: bytes, limits: CageLimits) -> zipfile.ZipFile:
    """Open a zip container whose directory stays within the limits.

    The declared sizes can be trusted afterwards: reading an entry never yields more than its declared size. Entries are
    only ever read by name into memory, so what their names look like as paths does not matter.

    Raises:
        Rejected: `corrupt_file`, `encrypted`, or `archive_limits` when unpacking would cost too much.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except _DAMAGE as error:
        raise Rejected(
            f"the file is damaged: its archive directory cannot be read ({error})", code="corrupt_file"
        ) from error
    entries = archive.infolist()
    if len(entries) > limits.archive_entries:
        raise _over(f"holds {len(entries):,} entries, more than {limits.archive_entries:,}")
    total = sum(entry.file_size for entry in entries)
    if total > limits.archive_bytes:
        raise _over(f"unpacks to {total:,} bytes, more than {limits.archive_bytes:,}")
    # Entries that share bytes let a small file unpack to a huge one with honest-looking ratios.
    packed = sum(entry.compress_size for entry in entries)
    if packed > len(data):
        raise _over("has entries that overlap")
    for entry in entries:
        _check_ratio(entry.file_size, entry.compress_size, limits)
    _check_ratio(total, packed, limits)
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise Rejected("the file is protected by a password; remove the password and upload it again", code="encrypted")
    return archive


def read_entry(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of one entry.

    Raises:
        Rejected: `corrupt_file`; the entry is missing, damaged or packed by an unknown method.
    """
    try:
        return archive.read(name)
    except KeyError as error:
        raise Rejected(f"the file is damaged: its part {name[:200]} is missing", code="corrupt_file") from error
    except _DAMAGE as error:
        raise Rejected(f"the file is damaged: its part {name[:200]} cannot be unpacked", code="corrupt_file") from error


def _check_ratio(unpacked: int, packed: int, limits: CageLimits) -> None:
    if unpacked > _RATIO_FREE and unpacked > limits.archive_ratio * max(packed, 1):
        raise _over(f"unpacks to more than {limits.archive_ratio} times its size")


def _over(how: str) -> Rejected:
    return Rejected(f"the archive {how}, which no ordinary document does", code="archive_limits")
