"""Names and types that make a browser save a file and never show it."""

import re
import unicodedata
from urllib.parse import quote

BINARY = "application/octet-stream"
_SAVED = re.compile(
    r"application/(?:zip|gzip|epub\+zip|rtf|msword"
    r"|vnd\.(?:ms-[a-z]+|openxmlformats-officedocument\.[a-z.]+|oasis\.opendocument\.[a-z]+))"
)
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._()-]")
_SEPARATORS = re.compile(r"[/\\:]")
MAX_NAME = 150


def safe_content_type(content_type: str) -> str:
    """The type when every browser can only save it, else application/octet-stream.

    Html, svg, xml, pdf, images and text could be rendered.
    """
    kind = content_type.partition(";")[0].strip().lower()
    return kind if _SAVED.fullmatch(kind) else BINARY


def attachment(file_name: str) -> str:
    """A Content-Disposition by RFC 6266: a plain name for old clients, the true one percent-encoded (RFC 8187).

    No folder, control character, direction override or unpaired surrogate of the name survives, so it can neither end
    the header nor leave the folder it is saved in; of names over 150 characters the end is kept, with the extension.
    """
    name = "".join(character for character in file_name if unicodedata.category(character)[0] != "C")
    name = _SEPARATORS.sub("_", name).strip(" .")[-MAX_NAME:].strip(" .") or "download"
    plain = (
        _UNSAFE.sub("_", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()).strip(" ._")
        or "download"
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
