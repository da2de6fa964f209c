"""The files of a prepared model and the manifest that tells whether they are whole. Standard library only: the
embedder needs it too.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

FORMAT = 1
"""Grows when the same source makes other files."""
MODEL = "model.onnx"
"""The graph."""
WEIGHTS = "model.bin"
"""Its numbers, in a file of their own: mapped into memory instead of parsed, which halves the time to load."""
TOKENIZER = "tokenizer.json"
FILES = (MODEL, WEIGHTS, TOKENIZER)
MANIFEST = "manifest.json"
NAME = "local/all-minilm-l6-v2"
DIMENSIONS = 384
MAX_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was made, from what, and the sha256 of each file."""

    format: int
    name: str
    source: str
    """sha256 of the weights it was made from."""
    files: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write it beside the files."""
        kept = {"format": self.format, "name": self.name, "source": self.source, "files": self.files}
        (folder / MANIFEST).write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_whole(folder: Path, source: str) -> bool:
    """Whether the folder holds exactly what its manifest says, made from `source` by this version."""
    try:
        kept = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        right = (kept["format"], kept["name"], kept["source"]) == (FORMAT, NAME, source)
        return right and all(sha256(folder / name) == kept["files"][name] for name in FILES)
    except (OSError, ValueError, KeyError, TypeError):
        return False
