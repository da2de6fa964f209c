"""The local embedding model, prepared once into `.lambent/model`."""

import asyncio
import os
import sys
from pathlib import Path

from shared.local.errors import StepFailed
from shared.local.layout import Layout

FILES = ("model.onnx", "model.bin", "tokenizer.json")
_SOURCE = Path("shared", "adapters", "local_model", "build.py")
_PROGRAM = (
    "import sys, pathlib; from shared.adapters.local_model.build import prepare; prepare(pathlib.Path(sys.argv[1]))"
)
_SECONDS = 300.0


def missing(layout: Layout) -> list[str]:
    """Names of the model's files that are not there."""
    return [name for name in FILES if not (layout.model / name).exists()]


async def prepare(layout: Layout) -> str:
    """Makes the model files in a process of their own unless they are there; returns a short line for people.

    Raises:
        StepFailed: the preparation failed; its traceback is in the text.
    """
    if not (layout.root / _SOURCE).exists():
        return "no local model in this repository"
    if not missing(layout):
        return "unchanged"
    layout.model.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROGRAM, str(layout.model)),
        cwd=layout.root,
        env={"PATH": os.defpath, "PYTHONPATH": str(layout.root), "LANG": "C.UTF-8"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
    except TimeoutError:
        process.kill()
        raise StepFailed("preparing the embedding model took too long") from None
    if process.returncode != 0 or missing(layout):
        raise StepFailed(
            f"the embedding model could not be prepared:\n{output.decode(errors='replace')[-3000:]}", "Run `uv sync`."
        )
    return f"prepared in {layout.model}"
