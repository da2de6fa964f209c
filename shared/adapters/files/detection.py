"""What a file is: its content first, its name second, what its uploader said last."""

import re
from dataclasses import dataclass

from shared.adapters.files.catalogue import BY_EXTENSION, BY_MEDIA_TYPE, BY_NAME, FORMATS, SUPPORTED, Format
from shared.adapters.files.decoding import decode
from shared.adapters.files.limits import CageLimits
from shared.adapters.files.signatures import binary_format
from shared.domain.errors import Rejected

_WINDOW = 4096
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_ANY_TAG = re.compile(r"<(?:!--|/?[a-z][a-z0-9]*[\s/>])", re.IGNORECASE)
_HEADER_LINE = re.compile(rb"([A-Za-z][A-Za-z0-9-]*):[ \t]")
_MAIL_HEADERS = {b"from", b"to", b"subject", b"date", b"received", b"return-path", b"message-id", b"mime-version"}
_NEEDED_MAIL_HEADERS = 3
_SPECIFIC = {"docx", "pptx", "xlsx", "odt", "ods", "odp", "epub", "msg", "pdf", "rtf"}


@dataclass(frozen=True, slots=True)
class Detected:
    """A file's real format, its characters when it is text, and what its owner should know about the choice."""

    format: Format
    text: str = ""
    warnings: tuple[str, ...] = ()


def detect(data: bytes, *, name: str, declared_type: str, limits: CageLimits) -> Detected:
    """Say what `data` is.

    Raises:
        Rejected: `empty_file`, `unsupported_type`, `encrypted`, `archive_limits` or `corrupt_file`.
    """
    if not data.strip(b"\0\t\n\r "):
        raise Rejected("the file is empty", code="empty_file")
    claimed = _claimed(name, declared_type)
    if (found := binary_format(data, limits)) is not None:
        return Detected(found, "", _differs(found, claimed))
    if claimed is not None and claimed.key in _SPECIFIC:
        # It claims a format with a signature and carries none: damaged, unless it is plainly some kind of text.
        return _mislabelled(data, claimed)
    if (claimed is not None and claimed.key == "eml") or (claimed in (None, FORMATS["txt"]) and _is_mail(data)):
        return Detected(FORMATS["eml"], "", _differs(FORMATS["eml"], claimed))
    return _textual(data, claimed)


def _claimed(name: str, declared_type: str) -> Format | None:
    """The format that name and declared type promise; None when they promise none that is known."""
    lowered = name.lower().strip()
    if lowered in BY_NAME:
        return BY_NAME[lowered]
    _, dot, extension = lowered.rpartition(".")
    if dot and extension in BY_EXTENSION:
        return BY_EXTENSION[extension]
    return BY_MEDIA_TYPE.get(declared_type.partition(";")[0].strip().lower())


def _differs(found: Format, claimed: Format | None) -> tuple[str, ...]:
    if claimed is None or claimed.key == found.key:
        return ()
    return (f"the name or declared type says {claimed.label}, but the content is {found.label}; it was read as that",)


def _mislabelled(data: bytes, claimed: Format) -> Detected:
    decoded = decode(data)
    if decoded is None:
        raise Rejected(
            f"the file is damaged, or no {claimed.label} file at all: it does not begin like one", code="corrupt_file"
        )
    found = _sniffed(decoded[0]) or FORMATS["txt"]
    return Detected(found, decoded[0], _differs(found, claimed))


def _textual(data: bytes, claimed: Format | None) -> Detected:
    decoded = decode(data)
    if decoded is None:
        raise Rejected(
            f"the content is binary data of an unknown type. Supported: {SUPPORTED}.", code="unsupported_type"
        )
    text, encoding = decoded
    warnings: tuple[str, ...] = ()
    if not encoding.startswith(("utf", "ascii")):
        warnings = (f"the file does not say how it is encoded; it was read as {encoding}",)
    sniffed = _sniffed(text)
    if claimed is None:
        return Detected(sniffed or FORMATS["json" if text.lstrip()[:1] in ("{", "[") else "txt"], text, warnings)
    found = claimed
    if claimed.key in ("txt", "xml", "log") and sniffed is FORMATS["html"]:
        found = sniffed
    elif claimed.key == "html" and not _ANY_TAG.search(text):
        found = FORMATS["txt"]
    return Detected(found, text, warnings + _differs(found, claimed))


def _sniffed(text: str) -> Format | None:
    """The format that text shows unmistakably, if any."""
    start = text[:_WINDOW]
    if _HTML.match(start):
        return FORMATS["html"]
    if start.lstrip().startswith("<?xml"):
        return FORMATS["xml"]
    return None


def _is_mail(data: bytes) -> bool:
    """Whether the first lines are mail headers, at least three of them well known."""
    seen = set()
    for line in data[:_WINDOW].splitlines():
        if line[:1] in (b" ", b"\t"):
            continue
        header = _HEADER_LINE.match(line)
        if header is None:
            break
        seen.add(header[1].lower())
    return len(seen & _MAIL_HEADERS) >= _NEEDED_MAIL_HEADERS
