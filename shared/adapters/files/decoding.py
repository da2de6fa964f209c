"""From bytes to characters, for files that do not say how they are encoded."""

import codecs
import re
from importlib import import_module

from shared.adapters.files.text import clean

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 64 * 1024
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MOST_CONTROLS = 0.005
_FEW_CONTROLS = 4
_FALLBACK = "cp1252"
_DECLARATION = re.compile(rb"""<[^<>]{0,200}?(?:charset|encoding)\s*=\s*["']?([A-Za-z][A-Za-z0-9_.:-]{1,30})""")
_DECLARATION_WINDOW = 2048
_HIGH = re.compile("[^\x00-\x7f]")
_MARKS = set(
    "\u201c\u201d\u201e\u2018\u2019\u201a\u2013\u2014\u2026\u2022\u20ac\xab\xbb\xb0\xa7\xa9\xae\u2122\xa0\xa3\xb7\xad\xbd"
)
# The letters Western languages write with, for Windows-1252: statistics take short texts for Central European.
_WESTERN = tuple(
    set(letters) | {letter.upper() for letter in letters if len(letter.upper()) == 1} | _MARKS
    for letters in (
        "äöüßéèà",
        "àâæçéèêëîïôœùûüÿ",
        "áéíóúüñçàèòï\xbf\xa1\xaa\xba",
        "àáâãçéêíóôõúü\xaa\xba",
        "àèéìíòóùú",
        "åäöæøéüáðíóúýþ",
        "äëïöüéèêáóú",
    )
)


def decode(data: bytes) -> tuple[str, str] | None:
    """The clean text of `data` and the name of its encoding; None when the bytes are not text.

    Byte order marks decide, then the NUL pattern of UTF-16, then UTF-8 if the bytes are valid, then what the file
    declares (HTML, XML), then a guess over the first 64 KiB. Bytes that do not fit the encoding become U+FFFD.
    """
    encoding = _encoding(data)
    if encoding is None:
        return None
    return clean(data.decode(encoding, "replace")), encoding


def _encoding(data: bytes) -> str | None:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    sample = data[:_SAMPLE]
    if wide := _wide(sample):
        return wide
    controls = len(_CONTROLS.findall(sample))
    if _is_utf8(data):
        # Valid by itself means little in short data, so a few stray controls are allowed and no more.
        return "utf-8" if controls <= max(_FEW_CONTROLS, _MOST_CONTROLS * len(sample)) else None
    if controls > _MOST_CONTROLS * len(sample):
        return None
    return _declared(sample) or _guess(sample)


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: Latin text has NULs in every second byte, and hardly any in the others."""
    half = len(sample) // 2
    if half < 4:
        return None
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.4 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.05 else None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        # A file cut in the middle of its last character is still UTF-8.
        return error.start >= len(data) - 3 and error.reason == "unexpected end of data"
    return True


def _guess(sample: bytes) -> str:
    letters = set(_HIGH.findall(sample.decode(_FALLBACK, "replace")))
    if any(letters <= alphabet for alphabet in _WESTERN):
        return _FALLBACK
    best = import_module("charset_normalizer").from_bytes(sample).best()
    return str(best.encoding) if best is not None else _FALLBACK


def _declared(sample: bytes) -> str | None:
    """What an HTML or XML file says of itself near its beginning, if Python knows it."""
    match = _DECLARATION.search(sample[:_DECLARATION_WINDOW])
    if match is None:
        return None
    name = match[1].decode("ascii").lower()
    # What calls itself Latin-1 is read as Windows-1252, as browsers do.
    name = _FALLBACK if name in ("iso-8859-1", "latin1", "us-ascii", "ascii") else name
    try:
        # Fails for codecs that do not make text (zlib, base64), too. Python looks up no codec for nothing.
        bytes(range(256)).decode(name, "replace")
    except (LookupError, ValueError):
        return None
    return name
