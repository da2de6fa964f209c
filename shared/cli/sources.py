"""Which files of this machine are meant, and what each is called in the collection."""

import hashlib
import mimetypes
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shared.cli.errors import CliError

FOLDERS_PASSED_OVER = frozenset({"__pycache__", "node_modules", "venv", "site-packages", "bower_components"})
NAMES_PASSED_OVER = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
ENDINGS_PASSED_OVER = frozenset(
    [
        ".pyc",
        ".pyo",
        ".class",
        ".o",
        ".so",
        ".a",
        ".dll",
        ".dylib",
        ".exe",
        ".bin",
        ".iso",
        ".dmg",
        ".swp",
        ".tmp",
        ".part",
        ".crdownload",
        ".lock",
        ".map",
        ".woff",
        ".woff2",
        ".ttf",
    ]
)
ARCHIVES = frozenset([".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".zst", ".jar", ".whl"])
MEDIA = frozenset({"image", "audio", "video", "font"})
# Not in every system's list.
KNOWN_TYPES = {
    ".md": "text/markdown",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".epub": "application/epub+zip",
    ".eml": "message/rfc822",
    ".ts": "text/x-typescript",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_HASH_PIECE = 1024 * 1024
_UNKNOWN_TYPES = mimetypes.MimeTypes(filenames=())
"""Python's own table, so that a name means the same type on every machine."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to ingest; `key` is its path in the collection: the same key again makes a new version."""

    file: Path
    key: str
    size: int

    @property
    def name(self) -> str:
        """The file's name as people see it."""
        return PurePosixPath(self.key).name

    @property
    def media_type(self) -> str:
        """By the name's ending; '' when it says nothing."""
        return media_type(self.file.name)


@dataclass(frozen=True, slots=True)
class Sources:
    """What was found; `passed_over` counts what was left out, by reason."""

    files: tuple[Source, ...]
    passed_over: dict[str, int]


def media_type(name: str) -> str:
    """The media type a file name's ending stands for; '' for none."""
    ending = Path(name).suffix.lower()
    return KNOWN_TYPES.get(ending) or _UNKNOWN_TYPES.guess_type(f"x{ending}")[0] or ""


def collect(paths: Sequence[Path], base: Path | None = None) -> Sources:
    """The files meant by paths.

    A folder stands for every file below it, keyed `folder/path/within`; hidden files and what no reader reads are
    passed over. A file named itself is always taken, keyed by its name. With `base`, every key is the path from there.

    Raises:
        CliError: a path does not exist or is outside `base`, or two files would have the same key.
    """
    found: dict[str, Source] = {}
    passed_over: Counter[str] = Counter()
    for path in paths:
        if not path.exists():
            raise CliError(f"there is no file or folder {str(path)!r}", code="no_such_file")
        top = path.resolve()
        files = _below(top, passed_over) if path.is_dir() else iter([top])
        for file in files:
            key = _key(file, top, base)
            known = found.get(key)
            if known is not None and known.file != file:
                raise CliError(
                    f"{known.file} and {file} would both be the document {key!r}",
                    code="same_key",
                    hint="ingest the folder they share, or give --base FOLDER to count their paths from there",
                )
            found[key] = Source(file, key, file.stat().st_size)
    return Sources(tuple(found.values()), dict(passed_over))


def digest(file: Path) -> str:
    """sha256 of a file, in hexadecimal."""
    hashed = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_HASH_PIECE):
            hashed.update(piece)
    return hashed.hexdigest()


def _below(folder: Path, passed_over: Counter[str]) -> Iterator[Path]:
    for at, folders, files in os.walk(folder):
        hidden = [name for name in folders if name.startswith(".")]
        passed_over["hidden folders"] += len(hidden)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in FOLDERS_PASSED_OVER)
        for name in sorted(files):
            reason = _passed_over(Path(at, name))
            if reason:
                passed_over[reason] += 1
            else:
                yield Path(at, name)
    for reason in [reason for reason, count in passed_over.items() if not count]:
        del passed_over[reason]


def _passed_over(file: Path) -> str:
    name, ending = file.name.lower(), file.suffix.lower()
    if name.startswith("."):
        return "hidden files"
    # ~$report.docx is Office's mark that report.docx is open; report.txt~ is an editor's copy.
    if name in NAMES_PASSED_OVER or name.startswith("~$") or name.endswith("~") or ending in ENDINGS_PASSED_OVER:
        return "system and temporary files"
    if ending in ARCHIVES:
        return "archives"
    if media_type(name).partition("/")[0] in MEDIA:
        return "pictures, sound and video"
    return "" if file.is_file() else "neither file nor folder"


def _key(file: Path, top: Path, base: Path | None) -> str:
    if base is not None:
        try:
            return _readable(file.relative_to(base.resolve()).as_posix())
        except ValueError as error:
            raise CliError(
                f"{file} is not below {base}",
                code="outside_base",
                hint="--base must be a folder that contains every file",
            ) from error
    if file == top:
        return _readable(file.name)
    return _readable(str(PurePosixPath(top.name, file.relative_to(top).as_posix())))


def _readable(name: str) -> str:
    # Bytes that are not UTF-8 reach Python as lone surrogates, which neither JSON nor a terminal takes.
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
