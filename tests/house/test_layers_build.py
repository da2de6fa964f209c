"""Layers after `make -C layers build`: they fit, they load, and nothing is in them that should not be."""

import gzip
import json
import os
import platform
import struct
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from shared.adapters.aws.clients import SERVICES
from shared.runtime.routes import ROUTES
from tests.house.template import ROOT, URL, Stack, function_folders, logical_id, named

BUILD = ROOT / ".aws-sam" / "build"
LIMIT = 240_000_000
"""Bytes of a function with its layers; Lambda refuses 262,144,000."""
LAYERS = ("RuntimeLayer", "SharedLayer", "ParseLayer", "EmbedLayer", "LlmLayer", "PineconeLayer", "OpenidLayer")
MACHINES = {b"\x3e\x00": "x86_64", b"\xb7\x00": "aarch64"}
"""e_machine of an ELF header, little-endian."""

CHOICES = [
    {**URL, "VectorStore": store, "PineconeHost": "https://index.example", "Embedder": embedder, "Llm": llm}
    for store, embedder, llm in product(
        ("postgres", "pinecone"), ("local", "openai_api", "litellm"), ("extractive", "openai_api", "litellm")
    )
]

pytestmark = pytest.mark.skipif(
    not all((BUILD / layer).is_dir() for layer in LAYERS), reason="not built: run `make -C layers build` first"
)


def size(folder: Path) -> int:
    """Bytes of all files under a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


@cache
def weight(artifact: str) -> int:
    """Bytes of a built layer or function."""
    return size(BUILD / artifact)


def libraries() -> Iterator[Path]:
    """Every shared library in the layers."""
    for layer in LAYERS:
        yield from (path for path in (BUILD / layer).rglob("*.so*") if path.is_file())


def machine() -> str:
    """What the layers were built for."""
    for path in libraries():
        with path.open("rb") as file:
            return MACHINES[file.read(20)[18:20]]
    return ""


native = pytest.mark.skipif(
    BUILD.is_dir() and machine() != platform.machine(), reason="the layers are built for another architecture"
)


def layer_of(token: str) -> str:
    """RuntimeLayer from the id with its hash that SAM gives a version of it."""
    return named(token).rstrip("0123456789abcdef")


def run(script: str, artifacts: list[str], **environment: str) -> str:
    """Run a script as Lambda would: the standard library, and these artifacts, and nothing else of this machine."""
    path = [BUILD / one / "python" if one.endswith("Layer") else BUILD / one for one in artifacts]
    # The interpreter itself, not that of the virtual environment with all its packages.
    interpreter = Path(sys.base_prefix) / "bin" / "python3.12"
    command = [str(interpreter), "-S", "-s", "-c", script]
    given = {"PYTHONPATH": os.pathsep.join(map(str, path)), "PATH": os.environ["PATH"], **environment}
    done = subprocess.run(command, cwd=BUILD, env=given, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("parameters", CHOICES, ids=lambda one: f"{one['VectorStore']}-{one['Embedder']}-{one['Llm']}")
def test_weight_every_function_fits_with_every_choice(parameters: dict[str, str]) -> None:
    for name, function in Stack("choice", parameters).functions.items():
        layers = [layer_of(token) for token in function["Layers"]]
        total = sum(weight(layer) for layer in layers) + (weight(name) if (BUILD / name).is_dir() else 0)
        assert total <= LIMIT, f"{name}: {total / 1e6:.1f} MB with {layers}"


def test_content_one_architecture_in_all_layers() -> None:
    for path in libraries():
        with path.open("rb") as file:
            header = file.read(20)
        assert header[:4] == b"\x7fELF", path
        assert MACHINES[header[18:20]] == machine(), path


def segments(path: Path) -> Iterator[tuple[int, int, int]]:
    """Offset in the file, address and alignment of every loadable part of a library (ELF64, little-endian)."""
    content = path.read_bytes()
    (table,) = struct.unpack_from("<Q", content, 32)
    entry_size, entries = struct.unpack_from("<HH", content, 54)
    for number in range(entries):
        kind, _, offset, address, _, held, _, alignment = struct.unpack_from(
            "<IIQQQQQQ", content, table + number * entry_size
        )
        assert offset + held <= len(content), f"{path} is cut short"
        if kind == 1:
            yield offset, address, alignment


def test_content_libraries_can_be_opened_after_stripping() -> None:
    """A loader refuses a part whose offset and address differ within a page; some packages fall back in silence."""
    for path in libraries():
        assert all((address - offset) % alignment == 0 for offset, address, alignment in segments(path)), path


def test_content_nothing_runs_at_the_start_of_an_interpreter() -> None:
    for layer in LAYERS:
        found = [path for path in (BUILD / layer).rglob("*") if path.suffix == ".pth"]
        assert not found
        assert not list((BUILD / layer).rglob("sitecustomize*")) + list((BUILD / layer).rglob("usercustomize*"))


def test_content_lambda_brings_boto3_and_botocore_has_three_services() -> None:
    packages = BUILD / "RuntimeLayer" / "python"
    assert not (packages / "boto3").exists()
    assert {path.name for path in (packages / "botocore" / "data").iterdir() if path.is_dir()} == set(SERVICES)


def test_content_shared_layer_leaves_one_machine_out() -> None:
    shared = BUILD / "SharedLayer" / "python" / "shared"
    assert (shared / "bootstrap.py").is_file()
    assert not (shared / "local").exists()
    assert not (shared / "cli").exists()
    assert os.access(BUILD / "SharedLayer" / "lambent-stream", os.X_OK)


def test_content_bytecode_is_valid_whatever_its_date() -> None:
    """Bytes 4 to 8 of a .pyc: bit 0 says hash instead of date, bit 1 says that the source is not to be looked at."""
    compiled = list((BUILD / "SharedLayer").rglob("*.pyc"))
    sources = [path for path in (BUILD / "SharedLayer").rglob("*.py") if path.stat().st_size]
    assert len(compiled) >= len(sources)
    for path in compiled:
        assert path.read_bytes()[4:8] == b"\x01\x00\x00\x00", path


def test_content_functions_hold_their_own_code_only() -> None:
    for folder in function_folders():
        artifact = BUILD / logical_id(folder)
        files = {path.relative_to(artifact).parts[:2] for path in artifact.rglob("*") if path.is_file()}
        assert files == {("functions", folder)}, folder


def test_content_model_is_in_the_embed_layer() -> None:
    model = BUILD / "EmbedLayer" / "model"
    assert (model / "model.onnx").is_file()
    assert (model / "tokenizer.json").is_file()


@native
@pytest.mark.parametrize("folder", function_folders())
@pytest.mark.parametrize("name", ["local", "remote"])
def test_load_every_function_starts_from_its_artifacts_alone(folder: str, name: str) -> None:
    choice = {**URL, "Embedder": "local"} if name == "local" else CHOICES[-1]
    function = Stack(name, choice).functions[logical_id(folder)]
    artifacts = [logical_id(folder), *(layer_of(token) for token in function["Layers"])]
    heavy = run(
        f"import sys, json, functions.{folder}.app as app; assert app.handler;"
        "print(json.dumps([one for one in ('litellm', 'onnxruntime', 'pinecone', 'boto3') if one in sys.modules]))",
        artifacts,
        AWS_REGION="eu-central-1",
        LAMBENT_STAGE="dev",
    )
    assert json.loads(heavy.splitlines()[-1]) == [], "what is heavy is imported when it is used"


@native
def test_load_runtime_layer_imports() -> None:
    run(
        "import fastapi, mangum, sqlalchemy.ext.asyncio, psycopg, pydantic_settings, structlog, httpx, alembic.command,"
        "Stemmer, pgvector.sqlalchemy, botocore.session, aws_lambda_powertools.metrics, sqlalchemy.util;"
        # Without its own library psycopg would look for one of the system, which Lambda has not.
        "assert psycopg.pq.__impl__ == 'binary'; assert sqlalchemy.util.has_compiled_ext()",
        ["RuntimeLayer"],
    )


@native
def test_load_every_library_opens() -> None:
    run(f"import ctypes\nfor path in {[str(path) for path in libraries()]!r}: ctypes.CDLL(path)", [*LAYERS])


@native
def test_load_parse_layer_imports() -> None:
    run(
        "import pypdfium2, lxml.html, lxml.etree, openpyxl, selectolax.lexbor, markdown_it, oxmsg, striprtf.striprtf,"
        "charset_normalizer, defusedxml.ElementTree, gcld3, tree_sitter, tree_sitter_python, tree_sitter_c_sharp;"
        "tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language())).parse(b'x = 1')",
        ["RuntimeLayer", "ParseLayer"],
    )


@native
def test_load_embed_layer_embeds() -> None:
    script = """
import asyncio
from pathlib import Path
from shared.adapters.local_model.embedder import LocalEmbedder
from shared.ports.embedder import Purpose
made = asyncio.run(LocalEmbedder(Path("EmbedLayer/model")).embed(["days of leave"], Purpose.QUERY))
print(len(made.vectors[0]), round(sum(value * value for value in made.vectors[0]), 3))
"""
    assert run(script, ["RuntimeLayer", "SharedLayer", "EmbedLayer"]).split() == ["384", "1.0"]


@native
def test_load_llm_layer_completes_without_what_was_pruned() -> None:
    script = """
import asyncio, litellm
ask = dict(messages=[{"role": "user", "content": "hi"}], mock_response="hello there")
whole = litellm.completion(model="gpt-4o-mini", **ask)
parts = litellm.completion(model="anthropic/claude-3-5-sonnet-20241022", stream=True, **ask)
later = asyncio.run(litellm.acompletion(model="bedrock/anthropic.claude-3-haiku-20240307-v1:0", **ask))
print(whole.choices[0].message.content)
print("".join(part.choices[0].delta.content or "" for part in parts))
print(later.choices[0].message.content)
print(litellm.embedding(model="openai/text-embedding-3-small", input=["x"], mock_response=[0.5]).data[0]["embedding"])
print(litellm.token_counter(model="gpt-4o", text="hello world"))
"""
    told = run(
        script, ["RuntimeLayer", "LlmLayer"], LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_MODE="PRODUCTION"
    ).splitlines()
    assert told == ["hello there", "hello there", "hello there", "[0.5]", "2"]


@native
def test_load_pinecone_layer_makes_a_client() -> None:
    run(
        "from pinecone import Pinecone; Pinecone(api_key='none', host='http://127.0.0.1:1').index(host='http://127.0.0.1:1')",
        ["RuntimeLayer", "PineconeLayer"],
    )


@native
def test_load_openid_layer_checks_a_signature() -> None:
    script = """
import sys
import jwt
print("cryptography" in sys.modules)
sys.path.append("OpenidLayer/openid")
from joserfc import jwk, jwt as writer
from shared.adapters.openid.signatures import key_of, read
for algorithm, key in (("RS256", jwk.RSAKey.generate_key(2048)), ("ES256", jwk.ECKey.generate_key("P-256"))):
    token = writer.encode({"alg": algorithm}, {"sub": algorithm}, key)
    print(read(token, key_of(token, {"keys": [key.as_dict(private=False)]}))["sub"])
"""
    assert run(script, ["RuntimeLayer", "SharedLayer", "OpenidLayer"]).split() == ["False", "RS256", "ES256"]


def test_shared_layer_brings_the_description_of_every_route() -> None:
    published = BUILD / "SharedLayer/python/shared/runtime/published"
    paths = json.loads(gzip.decompress((published / "openapi.json.gz").read_bytes()))["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == ROUTES.keys()
    assert (published / "redoc.standalone.js.gz").stat().st_size < 500_000
