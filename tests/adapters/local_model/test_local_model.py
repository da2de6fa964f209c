"""The local model: made once, whole or not at all, and loaded late."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shared.adapters.local_model import build
from shared.adapters.local_model.embedder import LocalEmbedder
from shared.adapters.local_model.files import FILES, MANIFEST, MODEL, is_whole
from shared.adapters.local_model.graph import quantise_columns
from shared.domain.errors import Unavailable
from shared.ports.embedder import Purpose

ROOT = Path(__file__).parents[3]


def copy_of(model: Path, folder: Path) -> Path:
    shutil.copytree(model, folder)
    return folder


def test_prepare_makes_whole_files_and_leaves_nothing_else(tmp_path: Path) -> None:
    build.prepare(tmp_path / "a" / "model")
    assert is_whole(tmp_path / "a" / "model", build.WEIGHTS_SHA256)
    assert {path.name for path in (tmp_path / "a" / "model").iterdir()} == {*FILES, MANIFEST}
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["model"]
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in (tmp_path / "a" / "model").iterdir())


def test_prepare_again_touches_nothing(local_model: Path, tmp_path: Path) -> None:
    folder = copy_of(local_model, tmp_path / "model")
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    build.prepare(folder)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize("damage", ["cut", "gone", "manifest", "older"])
def test_prepare_over_a_damaged_folder_makes_it_whole(local_model: Path, tmp_path: Path, damage: str) -> None:
    folder = copy_of(local_model, tmp_path / "model")
    if damage == "cut":
        folder.joinpath(MODEL).write_bytes(folder.joinpath(MODEL).read_bytes()[:-1])
    elif damage == "gone":
        folder.joinpath(MODEL).unlink()
    elif damage == "manifest":
        folder.joinpath(MANIFEST).write_text("{")
    else:
        kept = json.loads(folder.joinpath(MANIFEST).read_text())
        folder.joinpath(MANIFEST).write_text(json.dumps({**kept, "format": 0}))
    build.prepare(folder)
    assert is_whole(folder, build.WEIGHTS_SHA256)


def test_prepare_from_altered_weights_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(Unavailable) as raised:
        build.prepare(tmp_path / "model")
    assert raised.value.code == "model_altered"
    assert list(tmp_path.iterdir()) == []


def test_quantise_columns_leaves_no_pair_that_overflows() -> None:
    weight = np.random.default_rng(1).normal(size=(64, 40)).astype(np.float32)
    weight[:, 3] = 0
    whole, scale = quantise_columns(weight)
    pairs = whole[0::2].astype(int) + whole[1::2].astype(int)
    assert np.abs(pairs).max() <= 128
    assert np.abs(whole * scale - weight).max() <= scale.max() / 2 + 1e-6


async def test_embed_without_the_files_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as raised:
        await LocalEmbedder(tmp_path).embed(["a"], Purpose.QUERY)
    assert raised.value.code == "model_missing"
    assert "shared.adapters.local_model.build" in raised.value.hint


async def test_embed_of_known_texts_agrees_with_their_meaning(local_model: Path) -> None:
    texts = ["How do I bake bread?", "A recipe for a loaf of sourdough.", "The orbit of Neptune takes 165 years."]
    question, recipe, planet = map(np.array, (await LocalEmbedder(local_model).embed(texts, Purpose.DOCUMENT)).vectors)
    assert question @ recipe > 0.4
    assert question @ planet < 0.1


async def test_embed_reads_no_more_than_256_tokens(local_model: Path) -> None:
    embedder = LocalEmbedder(local_model)
    long = await embedder.embed(["word " * 255 + "tail " * 100], Purpose.DOCUMENT)
    longer = await embedder.embed(["word " * 255 + "other " * 5000], Purpose.DOCUMENT)
    assert (long.tokens, longer.tokens) == (256, 256)
    assert long.vectors == longer.vectors


def test_embed_is_bit_for_bit_the_same_with_any_number_of_threads(local_model: Path) -> None:
    texts = [f"text number {n} " * (n % 7 + 1) for n in range(20)]
    made = [asyncio.run(LocalEmbedder(local_model, threads).embed(texts, Purpose.DOCUMENT)) for threads in (1, 3)]
    assert made[0] == made[1]


def test_embedder_imported_and_asked_for_its_model_loads_no_library(local_model: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from shared.adapters.local_model.embedder import LocalEmbedder\n"
        f"LocalEmbedder(Path({str(local_model)!r})).model\n"
        "sys.exit(bool({'onnxruntime', 'numpy', 'tokenizers', 'onnx'} & set(sys.modules)))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
