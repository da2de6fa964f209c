"""The repository as the house tests see it: its files, and Python source as syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SKIPPED = frozenset({"__pycache__", "node_modules", "dist"})


@cache
def tracked(root: Path = ROOT) -> tuple[Path, ...]:
    """Every file under version control, relative to the root; in a tree without git, every file that is not hidden."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z"]
        listed = subprocess.run(command, check=True, capture_output=True).stdout.decode()
        named = (Path(name) for name in listed.split("\0") if name)
        return tuple(path for path in named if (root / path).is_file())
    walked = (path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file())
    return tuple(path for path in walked if not any(part in SKIPPED or part.startswith(".") for part in path.parts))


@cache
def texts(root: Path = ROOT) -> tuple[tuple[Path, str], ...]:
    """Every tracked file that is text."""
    contents = ((path, (root / path).read_bytes()) for path in tracked(root))
    return tuple(
        (path, content.decode("utf-8", "replace")) for path, content in contents if b"\0" not in content[:8000]
    )


def modules(root: Path, *rooms: str) -> Iterator[tuple[Path, ast.Module]]:
    """The syntax tree of every tracked Python file in the rooms."""
    for path in tracked(root):
        if path.suffix == ".py" and any(path.is_relative_to(room) for room in rooms):
            yield path, _parsed(root / path)


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def functions(root: Path = ROOT) -> list[str]:
    """Names of the function folders."""
    return sorted({path.parts[1] for path in tracked(root) if path.match("functions/*/app.py")})


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of what a tree imports, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
