"""The oldest version of each dependency that is safe to ship; below it a published vulnerability waits."""

import re
import tomllib
from pathlib import Path

FLOORS = {
    "starlette": "1.0.1",  # CVE-2026-48710: the Host header rewrote request.url
    "litellm": "1.83.7",  # CVE-2026-42208, -42271, -42203
    "langgraph": "1.0.10",  # CVE-2026-28277
    "langgraph-checkpoint": "4.0",  # CVE-2026-27794
    "pdfminer-six": "20251107",  # CVE-2025-64512
    "unstructured": "0.18.18",  # CVE-2025-64712
    "pillow": "12.3",
    "h11": "0.16.0",  # CVE-2025-43859: chunked bodies read differently by proxies
    "jinja2": "3.1.6",  # CVE-2025-27516: sandbox escape
    "requests": "2.32.4",  # CVE-2024-47081: .netrc credentials to another host
    "urllib3": "2.6.0",  # CVE-2025-66418, -66471: decompression without bounds
    "lxml": "5.0",
    "pyjwt": "2.10.1",  # CVE-2024-53861: a part of an issuer's name was believed to be the whole
}
MALWARE = {"litellm": frozenset({"1.82.7", "1.82.8"})}


def pins(root: Path) -> dict[str, dict[str, str]]:
    """Pinned versions by name, for pyproject.toml and each layer's requirements."""
    listed = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["uv"].get("constraint-dependencies", [])
    found = {"pyproject.toml": _pinned(listed)}
    for path in sorted((root / "layers").glob("*/requirements.txt")):
        found[str(path.relative_to(root))] = _pinned(path.read_text().splitlines())
    return found


def too_old(pinned: dict[str, str]) -> list[str]:
    """Which of the pinned versions may not be shipped, in words."""
    found = []
    for name, version in pinned.items():
        if name in FLOORS and _key(version) < _key(FLOORS[name]):
            found.append(f"{name} {version} is older than {FLOORS[name]}")
        if version in MALWARE.get(name, ()):
            found.append(f"{name} {version} was malware")
    return found


def _pinned(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        match = re.match(r"([A-Za-z0-9_.-]+)==([^\s;\\]+)", line)
        if match:
            found[re.sub(r"[-_.]+", "-", match[1]).lower()] = match[2]
    return found


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
