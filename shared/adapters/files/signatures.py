"""Telling binary formats apart by their first bytes and by what a container holds."""

import struct

from shared.adapters.files.archives import open_archive, read_entry
from shared.adapters.files.catalogue import FORMATS, SUPPORTED, Format
from shared.adapters.files.limits import CageLimits
from shared.domain.errors import Rejected

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_PDF_WINDOW = 1024
_PICTURE = "a picture has no text to read, and text recognition (OCR) is not enabled"
_SOUND = "speech is not transcribed; upload a transcript"
_VIDEO = "video is not read; upload a transcript"
_ARCHIVE = "unpack it and upload the files in it"
_PROGRAM = "programs are not documents"

# (offset, bytes, what it is, what to do about it)
_UNSUPPORTED = (
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture", _PICTURE),
    (0, b"\xff\xd8\xff", "a JPEG picture", _PICTURE),
    (0, b"GIF8", "a GIF picture", _PICTURE),
    (0, b"II*\x00", "a TIFF picture", _PICTURE),
    (0, b"MM\x00*", "a TIFF picture", _PICTURE),
    (8, b"WEBP", "a WebP picture", _PICTURE),
    (0, b"8BPS", "a Photoshop picture", _PICTURE),
    (4, b"ftyphei", "a HEIC picture", _PICTURE),
    (4, b"ftypmif1", "a HEIF picture", _PICTURE),
    (4, b"ftypavif", "an AVIF picture", _PICTURE),
    (8, b"WAVE", "a WAV recording", _SOUND),
    (0, b"ID3", "an MP3 recording", _SOUND),
    (0, b"fLaC", "a FLAC recording", _SOUND),
    (0, b"OggS", "an Ogg recording", _SOUND),
    (4, b"ftypM4A", "an M4A recording", _SOUND),
    (8, b"AVI ", "an AVI video", _VIDEO),
    (4, b"ftyp", "an MP4 or QuickTime video or recording", _SOUND),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video", _VIDEO),
    (0, b"\x1f\x8b", "a gzip archive", _ARCHIVE),
    (0, b"BZh", "a bzip2 archive", _ARCHIVE),
    (0, b"\xfd7zXZ\x00", "an xz archive", _ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _ARCHIVE),
    (0, b"Rar!\x1a\x07", "a RAR archive", _ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", _ARCHIVE),
    (257, b"ustar", "a tar archive", _ARCHIVE),
    (0, b"\x7fELF", "a program", _PROGRAM),
    (0, b"MZ\x90", "a program", _PROGRAM),
    (0, b"\xca\xfe\xba\xbe", "a program", _PROGRAM),
    (0, b"\x00asm", "a program", _PROGRAM),
    (0, b"SQLite format 3\x00", "an SQLite database", "export its tables as CSV"),
    (0, b"PAR1", "a Parquet file", "export it as CSV"),
    (0, b"%!PS", "a PostScript file", "convert it to PDF"),
)
# What the streams of an OLE container are called, and what that makes of it.
_OLE_KINDS = (
    ("EncryptedPackage", "encrypted"),
    ("__properties_version1.0", "msg"),
    ("WordDocument", "a Word 97-2003 document (.doc); open it in a word processor and save it as .docx"),
    ("Workbook", "an Excel 97-2003 workbook (.xls); open it in a spreadsheet program and save it as .xlsx"),
    ("Book", "an old Excel workbook (.xls); open it in a spreadsheet program and save it as .xlsx"),
    ("PowerPoint Document", "a PowerPoint 97-2003 presentation (.ppt); open it and save it as .pptx"),
    ("VisioDocument", "a Visio drawing (.vsd); export it as PDF"),
)
_MAIN_PARTS = (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "xlsx"))
_MIMETYPES = {
    FORMATS[key].media_type + suffix: FORMATS[key]
    for key in ("odt", "ods", "odp", "epub")
    for suffix in ("", "-template")
}


def unsupported(what: str, advice: str) -> Rejected:
    """The refusal of a format that was recognised but is not read."""
    return Rejected(f"this is {what}: {advice}. Supported: {SUPPORTED}.", code="unsupported_type")


def binary_format(data: bytes, limits: CageLimits) -> Format | None:
    """The format whose signature `data` carries; None when there is none, which most text has not.

    Raises:
        Rejected: `unsupported_type`, `encrypted`, `archive_limits` or `corrupt_file`.
    """
    if b"%PDF-" in data[:_PDF_WINDOW]:
        return FORMATS["pdf"]
    if data.startswith(b"{\\rtf"):
        return FORMATS["rtf"]
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_format(data, limits)
    if data.startswith(_OLE):
        return _ole_format(data)
    for offset, signature, what, advice in _UNSUPPORTED:
        if data.startswith(signature, offset):
            raise unsupported(what, advice)
    if _is_bitmap(data):
        raise unsupported("a BMP picture", _PICTURE)
    if data[:1] == b"\xff" and len(data) > 1 and data[1] & 0xE6 == 0xE2:
        raise unsupported("an MP3 recording", _SOUND)
    return None


def _is_bitmap(data: bytes) -> bool:
    # Two letters prove nothing, so the header's own size is asked too.
    return (
        data.startswith(b"BM")
        and len(data) > 18
        and struct.unpack_from("<I", data, 14)[0] in (12, 40, 52, 56, 108, 124)
    )


def _zip_format(data: bytes, limits: CageLimits) -> Format:
    archive = open_archive(data, limits)
    names = archive.namelist()
    if "mimetype" in names:
        declared = read_entry(archive, "mimetype")[:100].decode("ascii", "replace").strip()
        if declared in _MIMETYPES:
            return _MIMETYPES[declared]
    if "META-INF/container.xml" in names:
        return FORMATS["epub"]
    if "xl/workbook.bin" in names:
        raise unsupported("a binary Excel workbook (.xlsb)", "save it as .xlsx")
    if "[Content_Types].xml" in names:
        for prefix, key in _MAIN_PARTS:
            if any(name.startswith(prefix) for name in names):
                return FORMATS[key]
    if "Index/Document.iwa" in names:
        raise unsupported("an Apple iWork document", "export it as PDF or in an Office format")
    raise unsupported("a ZIP archive", _ARCHIVE)


def _ole_format(data: bytes) -> Format:
    # The directory of an OLE container names its streams in UTF-16, wherever it lies.
    present = (kind for stream, kind in _OLE_KINDS if f"{stream}\0".encode("utf-16-le") in data)
    meaning = next(present, "an OLE container of an unknown kind; save it in a current format")
    if meaning == "encrypted":
        raise Rejected("the file is protected by a password; remove the password and upload it again", code="encrypted")
    if meaning in FORMATS:
        return FORMATS[meaning]
    what, _, advice = meaning.partition("; ")
    raise unsupported(what, advice)
