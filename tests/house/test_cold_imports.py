"""What a cold start loads: each door is imported in a fresh interpreter, and nothing heavy may come with it."""

import json
import subprocess
import sys

import pytest

from shared.runtime.openapi import AREAS
from tests.house.repository import ROOT, functions

HEAVY = frozenset(
    {
        "alembic", "argon2", "boto3", "botocore", "cryptography", "docx", "joserfc", "jwt", "langgraph",
        "litellm", "lxml", "numpy", "onnxruntime", "openpyxl",
        "pinecone", "pptx", "psycopg", "pypdfium2", "selectolax", "sqlalchemy", "tokenizers", "torch", "tree_sitter",
        "typer",
    }
)  # fmt: skip
"""Loaded, if at all, by the adapter that uses it, when it is first asked for something."""
WEB = frozenset({"fastapi", "mangum", "starlette"})
LOCAL = frozenset({"shared.local", "shared.cli"})

DOORS = [name for name in functions() if name in AREAS]
WORKERS = [name for name in functions() if name not in DOORS]

SCRIPT = """
import importlib, json, sys
for name in sys.argv[2:]:
    importlib.import_module(f"functions.{name}.app")
    print(json.dumps([name, sorted(sys.modules)]))
exec(sys.argv[1])
print(json.dumps(["", sorted(sys.modules)]))
"""
READ_A_FILE = """
from shared import bootstrap
powers = bootstrap.powers()
powers.blobs, powers.reader, powers.clock, powers.meter
"""
"""What ingest_extract builds to do its work."""
WORK_OUT_ROUTES = """
from functions.documents.app import router
for route in router.routes:
    route.dependant
"""
"""What the first request has FastAPI do, for all routes of an area."""
BEGIN_ELSEWHERE = """
from shared import bootstrap
from shared.usecases.auth import openid
bootstrap.powers().issuers.providers, bootstrap.powers().egress
"""
"""What auth builds to send somebody to another party."""
WANTED_AFTER_ALL = """
from shared.runtime.web import FastAPI
api = FastAPI(title="described")
api.get("/a")(lambda: None)
from starlette.testclient import TestClient
assert TestClient(api).get("/openapi.json").json()["info"]["title"] == "described"
from fastapi.openapi import models, utils
assert models.OpenAPI.__pydantic_complete__
assert isinstance(models.OpenAPI(openapi="3.1.0", info={"title": "a", "version": "1"}), utils.OpenAPI)
from opentelemetry import context, trace
assert trace.get_tracer_provider().get_tracer("a") and context.get_current() == {}
"""
OPEN_A_STORE = """
from shared.adapters.postgres.store import PgStore
PgStore("postgresql://nobody@127.0.0.1:9/none")
"""
"""What a function's first transaction begins with."""
FETCH_A_SECRET = """
import os
from shared import bootstrap
from shared.domain.errors import Outage
from shared.settings import Settings
kit = bootstrap.Kit(Settings(token_secrets_arn="arn"))
os.environ |= {
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}
try:
    kit.tokens
except Outage as error:
    assert "ConnectionRefusedError" in error.detail, error.detail
"""
"""What the first request with an access token, and on AWS each function's first transaction, begins with."""


def in_fresh_interpreter(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(ROOT), "AWS_DEFAULT_REGION": "eu-central-1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=ROOT)


def loaded(names: list[str], then: str = "") -> dict[str, frozenset[str]]:
    """In one fresh interpreter: the modules there are after importing each function in turn, and last after `then`."""
    done = in_fresh_interpreter(SCRIPT, then, *names)
    assert done.returncode == 0, done.stderr
    return {name: frozenset(found) for name, found in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def started() -> dict[str, frozenset[str]]:
    """Workers first: what none of them may load is not yet there from a door. The first to load too much is named."""
    return loaded([*WORKERS, *DOORS])


@pytest.mark.parametrize("name", functions())
def test_import_of_function_loads_nothing_heavy(name: str, started: dict[str, frozenset[str]]) -> None:
    assert started[name] & (HEAVY | LOCAL) == set()


@pytest.mark.parametrize("name", WORKERS)
def test_import_of_worker_loads_no_web_framework(name: str, started: dict[str, frozenset[str]]) -> None:
    assert started[name] & WEB == set()


def test_import_of_health_brings_no_other_area_and_no_description() -> None:
    modules = loaded(["health"])["health"]
    areas = {name for name in modules if name.startswith("functions.") and not name.startswith("functions.health")}
    assert areas == set()
    assert "shared.runtime.openapi" not in modules


def test_routes_are_worked_out_without_the_pydantic_of_before() -> None:
    assert "pydantic.v1" not in loaded(["documents"], WORK_OUT_ROUTES)[""]


def test_powers_of_ingest_extract_load_no_database_and_no_model() -> None:
    modules = loaded(["ingest_extract"], READ_A_FILE)[""]
    assert (
        modules & {"sqlalchemy", "psycopg", "alembic", "litellm", "onnxruntime", "pinecone", "fastapi", "httpx"}
        == set()
    )


def test_sign_in_at_another_party_loads_signatures_when_a_code_comes_back() -> None:
    modules = loaded(["auth"], BEGIN_ELSEWHERE)[""]
    assert "shared.adapters.openid.issuers" in modules
    assert modules & {"cryptography", "joserfc", "jwt"} == set()


def test_database_is_reached_without_sessions_of_the_orm_and_without_other_drivers() -> None:
    modules = loaded([], OPEN_A_STORE)[""]
    assert "sqlalchemy.dialects.postgresql.psycopg" in modules
    others = {f"sqlalchemy.dialects.postgresql.{name}" for name in ("asyncpg", "pg8000", "psycopg2", "psycopg2cffi")}
    assert modules & {"sqlalchemy.orm", *others} == set()


def test_secret_is_fetched_without_botocore() -> None:
    modules = loaded(["users"], FETCH_A_SECRET)[""]
    assert "shared.adapters.aws.signed" in modules
    assert {name.partition(".")[0] for name in modules} & {
        "botocore",
        "urllib3",
        "dateutil",
        "jmespath",
        "certifi",
    } == set()


@pytest.mark.parametrize("name", DOORS)
def test_import_of_door_loads_no_vocabulary_of_openapi_no_telemetry_and_builds_no_route(name: str) -> None:
    script = f"""
import importlib, sys
router = importlib.import_module("functions.{name}.app").router
assert all("dependant" not in vars(route) for route in router.routes)
router.routes[0].dependant
assert "dependant" in vars(router.routes[0])
assert "fastapi.openapi.models" not in sys.modules
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
    done = in_fresh_interpreter(script)
    assert done.returncode == 0, done.stderr


def test_what_was_stood_in_for_is_there_when_it_is_wanted() -> None:
    done = in_fresh_interpreter(WANTED_AFTER_ALL)
    assert done.returncode == 0, done.stderr


def test_loaded_with_planted_import_shows_it() -> None:
    assert "sqlite3" in loaded([], "import sqlite3")[""]
