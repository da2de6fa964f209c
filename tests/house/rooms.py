"""Rules of the whole tree. Each returns what breaks it, in words; an empty list means it is kept."""

import ast
import re
from pathlib import Path

from tests.house.repository import modules, texts, tracked

ROOT_ENTRIES = frozenset(
    {
        "template.yaml", "pyproject.toml", "functions", "layers", "shared", "events", "tests", "README.md",
        "uv.lock", ".python-version", "samconfig.toml", "CHANGELOG.md", ".gitignore", ".ci", "LICENSE", "NOTICE",
    }
)  # fmt: skip
NAMELESS = re.compile(r"(?:^|_)(?:utils?|helpers?|common|base|core|misc|managers?)(?:$|_)")
NAMELESS_CLASS = re.compile(r"^_?Abstract[A-Z]|(?:Impl|Manager|Helper)s?$")
MAX_LINES = 450
"""About 300 is the aim; a file this long has two subjects."""
ENVIRONMENT = frozenset({"os.environ", "os.getenv", "os.environb", "os.putenv"})
UNDOCUMENTED = frozenset({"shared/ports/ports.py"})

# One letter of each is in brackets, so that this file does not break its own rules.
REGISTRIES = re.compile(
    r"[p]ypi\.|python[h]osted|[n]pmjs|crates[.]io|ruby[g]ems|proxy[.]golang|docker[.]io|quay[.]io|ghcr[.]io"
    r"|hugging[f]ace\.co"
)
MACHINE_PATHS = re.compile(r"(?<![\w.~$}])/(?:work|root|home/[a-z]\w*|Users/\w+)(?=/|\b)(?![-.])")
SECRETS = re.compile(
    r"\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*[P]RIVATE KEY|\bgh[pousr]_[A-Za-z0-9]{36}|\bxox[baprs]-[A-Za-z0-9-]{10,}"
    r"|\bsk-[A-Za-z0-9_-]{24,}|\blam_[A-Za-z0-9_-]{43}\b|\bpcsk_[A-Za-z0-9_]{20,}|\bAIza[0-9A-Za-z_-]{35}"
)
UNFINISHED = re.compile(r"\b(?:[T]ODO|[F]IXME|[X]XX|[H]ACK)\b")
ELSEWHERE = re.compile(
    r"\b(?:fixes|closes|resolves|see|this|that|the) [i]ssue\b|\b[i]ssue #?\d|\bpull request #?\d"
    r"|\b(?:this|earlier|previous|last|next|another|helper) [s]ession\b|\bthe [b]rief\b"
    r"|\b(?:made|written|generated|authored|assisted) (?:by|with) (?:an? )?(?:[A]I|LLM|Claude|ChatGPT|Copilot)\b"
    r"|\b[A]I[- ](?:assistant|generated|written)\b|[c]o-authored-by",
    re.IGNORECASE,
)


def root_entries(root: Path) -> list[str]:
    """Only what the design names lies at the root."""
    return [f"{name} lies at the root" for name in sorted({path.parts[0] for path in tracked(root)} - ROOT_ENTRIES)]


def names(root: Path) -> list[str]:
    """Nothing is called by a name that says nothing."""
    found = []
    for path in tracked(root):
        parts = [*path.parts[:-1], path.stem]
        found += [f"{path}: '{part}' says nothing" for part in parts if NAMELESS.search(part.removeprefix("test_"))]
    for path, tree in modules(root, "functions", "shared", "tests"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and NAMELESS_CLASS.search(node.name):
                found.append(f"{path}: class {node.name} says nothing")
    return found


def environment(root: Path) -> list[str]:
    """Only settings.py reads the environment."""
    found = []
    for path, tree in modules(root, "functions", "shared"):
        # litellm is told by its environment, before it is imported, to fetch nothing: written there, not read.
        if path in (Path("shared/settings.py"), Path("shared/adapters/litellm/library.py")):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                read = ast.unparse(node) in ENVIRONMENT
            elif isinstance(node, ast.ImportFrom):
                read = bool({f"{node.module}.{alias.name}" for alias in node.names} & ENVIRONMENT)
            else:
                continue
            if read:
                found.append(f"{path}:{node.lineno} reads the environment")
    return found


def lengths(root: Path) -> list[str]:
    """No module of ours is long enough to have two subjects."""
    found = []
    for path in tracked(root):
        if path.suffix == ".py" and path.parts[0] in {"functions", "shared"} and "versions" not in path.parts:
            lines = len((root / path).read_text().splitlines())
            if lines > MAX_LINES:
                found.append(f"{path} has {lines} lines")
    return found


def docstrings(root: Path) -> list[str]:
    """Every module, public class and public function says what it is for."""
    found = []
    for path, tree in modules(root, "functions", "shared"):
        if path.name != "__init__.py" and not ast.get_docstring(tree):
            found.append(f"{path} has no docstring")
        if str(path) not in UNDOCUMENTED:
            found += [f"{path}: {name} has no docstring" for name in _undescribed(tree.body)]
    return found


def _undescribed(body: list[ast.stmt], inside: str = "") -> list[str]:
    found = []
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                found.append(f"{inside}{node.name}")
            if isinstance(node, ast.ClassDef):
                found += _undescribed(node.body, f"{inside}{node.name}.")
    return found


def registries(root: Path) -> list[str]:
    """No file names the host of a package registry: which one is used is up to whoever installs."""
    return _matching(root, REGISTRIES, "names a registry host")


def machine_paths(root: Path) -> list[str]:
    """No file names a folder of somebody's machine."""
    return _matching(root, MACHINE_PATHS, "names a folder of one machine")


def secrets(root: Path) -> list[str]:
    """No file holds a credential; the examples of vendors' own manuals and the one key of our events are none."""
    return _matching(root, SECRETS, "looks like a credential", allowed=re.compile("EXAMPLE|^lam_4kD0vXw2mQy7"))


def unfinished(root: Path) -> list[str]:
    """Nothing is left to do."""
    return _matching(root, UNFINISHED, "is a note to come back")


def itself(root: Path) -> list[str]:
    """The project speaks of itself, not of how it came about."""
    return _matching(root, ELSEWHERE, "speaks of how it came about")


def _matching(root: Path, pattern: re.Pattern[str], what: str, *, allowed: re.Pattern[str] | None = None) -> list[str]:
    found = []
    for path, text in texts(root):
        for match in pattern.finditer(text):
            if allowed is None or not allowed.search(match[0]):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path}:{line} {match[0]!r} {what}")
    return found
