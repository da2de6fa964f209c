"""What a cold start loads: each door is imported in a fresh interpreter, and nothing heavy may come with it."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.house.repository import ROOT, functions

HEAVY = frozenset(
    {
        "alembic", "boto3", "botocore", "docx", "langgraph", "litellm", "lxml", "numpy", "onnxruntime", "openpyxl",
        "pinecone", "pptx", "psycopg", "pypdfium2", "selectolax", "sqlalchemy", "tokenizers", "torch", "tree_sitter",
        "typer",
    }
)  # fmt: skip
"""Loaded, if at all, by the adapter that uses it, when it is first asked for something."""
WEB = frozenset({"fastapi", "mangum", "starlette"})
LOCAL = frozenset({"shared.local", "shared.cli"})

SCRIPT = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
exec(sys.argv[2])
print(json.dumps(sorted(sys.modules)))
"""
READ_A_FILE = """
from shared import bootstrap
powers = bootstrap.powers()
powers.blobs, powers.reader, powers.clock, powers.meter
"""
"""What ingest_extract builds to do its work."""


def loaded(module: str, then: str = "") -> frozenset[str]:
    environment = {"PYTHONPATH": str(ROOT), "AWS_DEFAULT_REGION": "eu-central-1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", SCRIPT, module, then]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return frozenset(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def started() -> dict[str, frozenset[str]]:
    """The modules each function has after its import."""
    with ThreadPoolExecutor(2) as pool:
        names = functions()
        return dict(zip(names, pool.map(lambda name: loaded(f"functions.{name}.app"), names), strict=True))


@pytest.mark.parametrize("name", functions())
def test_import_of_function_loads_nothing_heavy(name: str, started: dict[str, frozenset[str]]) -> None:
    assert started[name] & (HEAVY | LOCAL) == set()


@pytest.mark.parametrize(
    "name", [name for name in functions() if name.startswith(("ingest_", "sweep", "reindex", "migrate"))]
)
def test_import_of_worker_loads_no_web_framework(name: str, started: dict[str, frozenset[str]]) -> None:
    assert started[name] & WEB == set()


def test_powers_of_ingest_extract_load_no_database_and_no_model() -> None:
    modules = loaded("functions.ingest_extract.app", READ_A_FILE)
    assert (
        modules & {"sqlalchemy", "psycopg", "alembic", "litellm", "onnxruntime", "pinecone", "fastapi", "httpx"}
        == set()
    )


def test_loaded_with_planted_import_shows_it() -> None:
    assert "sqlite3" in loaded("functions.ingest_chunk.app", "import sqlite3")
