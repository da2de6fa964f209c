"""Rules of the function folders. Each returns what breaks it, in words; an empty list means it is kept."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path

from tests.house.repository import functions, imported, modules, tracked

APP_LINES = 120
OPERATION_LINES = 12
type Rule = Callable[[Path], list[str]]

METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "api_route"})


def sizes(root: Path) -> list[str]:
    """A folder has app.py, at most one module of shapes, and routes of further subjects: 120 lines at most each."""
    found = []
    for name in functions(root):
        files = [path for path in tracked(root) if path.is_relative_to(f"functions/{name}")]
        python = [path for path in files if path.suffix == ".py" and path.name != "__init__.py"]
        found += [f"{path} does not belong into a function folder" for path in files if path.suffix != ".py"]
        routes = [path for path in python if path.name == "app.py" or _has_routes((root / path).read_text())]
        if len(python) > len(routes) + 1:
            found.append(f"functions/{name} has {len(python) - len(routes)} modules without routes")
        for path in routes:
            lines = len((root / path).read_text().splitlines())
            if lines > APP_LINES:
                found.append(f"{path} has {lines} lines")
    return found


def operations(root: Path) -> list[str]:
    """A path operation is at most 12 lines, its decorators and docstring not counted."""
    found = []
    for path, tree in modules(root, "functions"):
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and _is_operation(node):
                lines = (node.end_lineno or 0) - node.lineno + 1 - _docstring_lines(node)
                if lines > OPERATION_LINES:
                    found.append(f"{path}: {node.name} has {lines} lines")
    return found


def plain(root: Path) -> list[str]:
    """No try and no loop where routes are: errors are the runtime's, records the worker's."""
    found = []
    for path, tree in modules(root, "functions"):
        if path.name == "app.py" or _has_routes((root / path).read_text()):
            for node in ast.walk(tree):
                if isinstance(node, ast.Try | ast.TryStar | ast.For | ast.AsyncFor | ast.While):
                    found.append(f"{path}:{node.lineno} has a {type(node).__name__}")
    return found


def known_imports(root: Path) -> list[str]:
    """A door imports the standard library, pydantic, its own folder and shared; FastAPI's names from the runtime."""
    found = []
    for path, tree in modules(root, "functions"):
        if len(path.parts) < 3:
            continue
        own = f"functions.{path.parts[1]}"
        for name in imported(tree):
            top = name.partition(".")[0]
            allowed = top in {"pydantic", "shared"} or name.startswith(own)
            if not allowed and (top not in sys.stdlib_module_names or top == "os"):
                found.append(f"{path} imports {name}")
    return found


def handlers(root: Path) -> list[str]:
    """Every app.py ends by making its handler, described by a docstring at the top."""
    found = []
    for name in functions(root):
        tree = ast.parse((root / f"functions/{name}/app.py").read_text())
        last = tree.body[-1] if tree.body else None
        named = isinstance(last, ast.Assign) and [ast.unparse(target) for target in last.targets] == ["handler"]
        if not named:
            found.append(f"functions/{name}/app.py does not end with its handler")
        if not ast.get_docstring(tree):
            found.append(f"functions/{name}/app.py has no docstring")
    return found


def one_name(root: Path) -> list[str]:
    """Every function has a test module and example events of its own name, and nothing else has."""
    names = set(functions(root))
    tests = {path.stem.removeprefix("test_") for path in tracked(root) if path.match("tests/functions/test_*.py")}
    events = {path.parts[1] for path in tracked(root) if path.match("events/*/*.json")}
    found = [f"functions/{name} has no tests/functions/test_{name}.py" for name in sorted(names - tests)]
    found += [f"functions/{name} has no events/{name}/*.json" for name in sorted(names - events)]
    found += [f"events/{name} belongs to no function" for name in sorted(events - names)]
    return found


def _has_routes(text: str) -> bool:
    """Whether a module is one of the subjects of an area with several."""
    return "\nrouter = Router(" in text


def _is_operation(node: ast.AsyncFunctionDef | ast.FunctionDef) -> bool:
    return any(
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in METHODS
        and ast.unparse(decorator.func.value) == "router"
        for decorator in node.decorator_list
    )


def _docstring_lines(node: ast.AsyncFunctionDef | ast.FunctionDef) -> int:
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return (first.end_lineno or 0) - first.lineno + 1
    return 0
