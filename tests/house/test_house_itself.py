"""The rules catch what they forbid: each is shown a tree with one thing wrong in it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.house import doors, floors, rooms

APP = '"""A door."""\n\nhandler = print\n'


def tree(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


LONG_OPERATION = '"""A door."""\n\n@router.get("/x")\nasync def x() -> None:\n    """X."""\n' + "    print()\n" * 12

UNDESCRIBED = '"""X."""\nclass Thing:\n    """T."""\n    def do(self): ...\n'
ROUTES_OF_MORE = '"""X."""\nrouter = Router()\nfor x in (): pass\n' + "x = 1\n" * 118

PLANTED: list[tuple[doors.Rule, str, Mapping[str, str]]] = [
    (doors.sizes, "121 lines", {"functions/a/app.py": "x = 1\n" * 121}),
    (doors.sizes, "2 modules without routes", {f"functions/a/{name}.py": "" for name in ("app", "schemas", "more")}),
    (doors.sizes, "more.py has 121 lines", {"functions/a/app.py": "", "functions/a/more.py": ROUTES_OF_MORE}),
    (doors.plain, "more.py:3 has a For", {"functions/a/app.py": "", "functions/a/more.py": ROUTES_OF_MORE}),
    (doors.sizes, "does not belong", {"functions/a/app.py": APP, "functions/a/requirements.txt": "x"}),
    (doors.operations, "x has 13 lines", {"functions/a/app.py": LONG_OPERATION}),
    (doors.plain, "has a For", {"functions/a/app.py": "for x in (): pass\n"}),
    (doors.plain, "has a AsyncFor", {"functions/a/app.py": "async def f():\n    async for x in y: pass\n"}),
    (doors.plain, "has a Try", {"functions/a/app.py": "try:\n    x\nexcept Y:\n    pass\n"}),
    (doors.known_imports, "imports boto3", {"functions/a/app.py": "import boto3\n"}),
    (doors.known_imports, "imports sqlalchemy", {"functions/a/app.py": "def f():\n    from sqlalchemy import x\n"}),
    (doors.known_imports, "imports functions.b", {"functions/a/app.py": "from functions.b import app\n"}),
    (doors.known_imports, "imports os", {"functions/a/app.py": "import os\n"}),
    (doors.handlers, "does not end with its handler", {"functions/a/app.py": '"""A door."""\n'}),
    (doors.handlers, "no docstring", {"functions/a/app.py": "handler = print\n"}),
    (doors.one_name, "no tests/functions/test_a.py", {"functions/a/app.py": APP, "events/a/one.json": "{}"}),
    (doors.one_name, "no events/a", {"functions/a/app.py": APP, "tests/functions/test_a.py": ""}),
    (doors.one_name, "events/b belongs", {"functions/a/app.py": APP, "events/b/one.json": "{}"}),
    (rooms.root_entries, "Dockerfile lies at the root", {"Dockerfile": "FROM x"}),
    (rooms.names, "'utils' says nothing", {"shared/utils/x.py": ""}),
    (rooms.names, "'test_helpers' says nothing", {"tests/domain/test_helpers.py": ""}),
    (rooms.names, "'db_common' says nothing", {"shared/adapters/db_common.py": ""}),
    (rooms.names, "class StoreManager says nothing", {"shared/domain/x.py": "class StoreManager: pass\n"}),
    (rooms.names, "class AbstractStore says nothing", {"shared/domain/x.py": "class AbstractStore: pass\n"}),
    (rooms.environment, "reads the environment", {"shared/domain/x.py": "import os\nx = os.environ['X']\n"}),
    (rooms.environment, "reads the environment", {"functions/a/app.py": "from os import getenv\n"}),
    (rooms.lengths, "has 451 lines", {"shared/domain/x.py": "x = 1\n" * 451}),
    (rooms.docstrings, "Thing.do has no docstring", {"shared/domain/x.py": UNDESCRIBED}),
    (rooms.docstrings, "x.py has no docstring", {"shared/domain/x.py": "x = 1\n"}),
    (rooms.registries, "names a registry host", {"README.md": "https://py" + "pi.org/simple"}),
    (rooms.machine_paths, "names a folder", {"README.md": "cd /ro" + "ot/project"}),
    (rooms.machine_paths, "names a folder", {"tests/x.py": '"/wo' + 'rk/shared/data"'}),
    (rooms.secrets, "looks like a credential", {"events/a/x.json": "Bearer lam_" + "a" * 43}),
    (rooms.secrets, "looks like a credential", {"x.py": "AKIA" + "ABCDEFGHIJKLMNOP"}),
    (rooms.secrets, "looks like a credential", {"x.pem": "-----BEGIN RSA PRIV" + "ATE KEY-----"}),
    (rooms.unfinished, "is a note to come back", {"shared/domain/x.py": "# TO" + "DO later\n"}),
    (rooms.itself, "how it came about", {"README.md": "As decided in an earlier sess" + "ion."}),
    (rooms.itself, "how it came about", {"CHANGELOG.md": "Fixes iss" + "ue #12."}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "words", "files"), PLANTED, ids=lambda value: getattr(value, "__name__", None))
def test_rule_with_planted_violation_tells(
    rule: doors.Rule, words: str, files: Mapping[str, str], tmp_path: Path
) -> None:
    assert any(words in found for found in rule(tree(tmp_path, files)))


def test_every_rule_is_shown_a_violation() -> None:
    from tests.house.test_house import DOOR_RULES, ROOM_RULES

    assert {rule for rule, _, _ in PLANTED} == {*DOOR_RULES, *ROOM_RULES}


@pytest.mark.parametrize("rule", list(dict.fromkeys(rule for rule, _, _ in PLANTED)))
def test_rule_with_clean_tree_is_silent(rule: doors.Rule, tmp_path: Path) -> None:
    clean = {
        "functions/a/app.py": APP,
        "events/a/one.json": '{"Authorization": "Bearer lam_key", "id": "AKIAIOSFODNN7EXAMPLE"}',
        "tests/functions/test_a.py": "",
        "shared/settings.py": '"""S."""\nimport os\nx = os.environ\n',
        "README.md": "Base your work on this workroot; /opt/python is the layer's root/folder. A session ends.",
    }
    assert rule(tree(tmp_path, clean)) == []


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("starlette", "1.0.0"),
        ("litellm", "1.83.6"),
        ("litellm", "1.82.8"),
        ("pillow", "12.2.9"),
        ("langgraph", "1.0.9"),
    ],
)
def test_too_old_with_unsafe_version_tells(name: str, version: str) -> None:
    assert floors.too_old({name: version})


def test_too_old_with_safe_versions_is_silent() -> None:
    assert floors.too_old({"starlette": "1.10.0", "litellm": "1.106.2", "anything": "0.1"}) == []


IMPORTS = {
    "layers": ("shared/domain/planted.py", "import shared.usecases"),
    "rooms": ("shared/planted/__init__.py", ""),
    "functions": ("functions/search/planted.py", "import functions.chats.app"),
    "adapters": ("shared/adapters/memory/planted.py", "import shared.adapters.system.clock"),
    "adapters-protected": ("shared/runtime/planted.py", "import shared.adapters.memory"),
    "settings-protected": ("shared/usecases/planted.py", "import shared.settings"),
    "pure": ("shared/usecases/vendor.py", "import boto3"),
    "vendors": ("shared/runtime/vendor.py", "import sqlalchemy"),
    "web": ("shared/adapters/memory/web.py", "import fastapi"),
    "local-and-cli": ("shared/runtime/local.py", "import shared.local"),
    "acyclic": ("shared/domain/errors.py", "import shared.domain.documents"),
}
"""A forbidden import for each contract of import-linter."""


@pytest.fixture(scope="module")
def import_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("house")
    from tests.house.repository import ROOT, tracked

    for path in tracked():
        if path.suffix in {".py", ".toml"} and path.parts[0] in {"functions", "shared", "pyproject.toml"}:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes((ROOT / path).read_bytes())
    for name, line in IMPORTS.values():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        with (root / name).open("a") as file:
            file.write(f"\n{line}\n")
    script = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", script, "--no-cache", "--config", "pyproject.toml"]
    environment = {"PYTHONPATH": str(root)}
    return subprocess.run(command, check=False, cwd=root, capture_output=True, text=True, env=environment).stdout


@pytest.mark.parametrize("contract", sorted(IMPORTS))
def test_import_contract_with_planted_import_breaks(contract: str, import_report: str) -> None:
    import tomllib

    from tests.house.repository import ROOT

    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {one["id"] for one in listed} == IMPORTS.keys()
    name = next(one["name"] for one in listed if one["id"] == contract)
    assert f"{name} BROKEN" in " ".join(import_report.split())
