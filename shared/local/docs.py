"""The API documentation: one OpenAPI document of all HTTP functions, and pages that need no network to show it."""

import asyncio
import hashlib
import html
import importlib.util
import json
import logging
import os
import sys
from pathlib import Path

from shared.local.layout import Layout
from shared.local.state import read_json, write_private

log = logging.getLogger(__name__)

_SOURCE = Path("shared", "runtime", "openapi.py")
_SECONDS = 60.0
_PROGRAM = "import json, sys; from shared.runtime.openapi import merged; json.dump(merged(), sys.stdout)"
# Everything comes from this address; nothing a document contains can load or send anything elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; worker-src blob:; font-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "redoc.standalone.js": "text/javascript",
    "favicon.png": "image/png",
}
_STYLE = "body{font:16px/1.5 system-ui;margin:3rem auto;max-width:56rem}th{text-align:left;padding-right:2rem}"
_STARTER = """window.ui = SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#docs", deepLinking: true, persistAuthorization: true
});"""


def source_fingerprint(root: Path) -> str:
    """Changes when any Python source that the document comes from does (by name, size and time of change)."""
    digest = hashlib.sha256()
    for folder in ("functions", "shared/runtime", "shared/domain"):
        for file in sorted((root / folder).rglob("*.py")):
            status = file.stat()
            digest.update(f"{file.relative_to(root)}:{status.st_size}:{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


async def build(layout: Layout) -> str:
    """Writes the merged OpenAPI document, in a process of its own, unless the one there is fits the sources.

    A function that does not import is that function's trouble: everything else starts, with the former document.

    Returns:
        A short line for people.
    """
    if not (layout.root / _SOURCE).exists():
        return "no HTTP routers to document"
    wanted = source_fingerprint(layout.root)
    if read_json(layout.openapi).get("fingerprint") == wanted:
        return "unchanged"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROGRAM,
        cwd=layout.root,
        env={"PATH": os.defpath, "PYTHONPATH": str(layout.root), "LANG": "C.UTF-8", "LAMBENT_STAGE": "local"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), _SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return "took too long"
    if process.returncode != 0:
        text = errors.decode(errors="replace").strip()
        log.warning("the HTTP functions do not import, so the documentation is not up to date:\n%s", text)
        return f"not made: {text.splitlines()[-1] if text else process.returncode}"
    document = json.loads(output)
    write_private(layout.openapi, {"fingerprint": wanted, "document": document})
    return f"{len(document.get('paths', {}))} paths"


def document(layout: Layout) -> bytes:
    """The merged OpenAPI document as JSON; one without paths when there is none."""
    found = read_json(layout.openapi).get("document")
    return json.dumps(found or {"openapi": "3.1.0", "info": {"title": "Lambent", "version": "0"}, "paths": {}}).encode()


def asset(name: str) -> tuple[bytes, str] | None:
    """A file of the documentation pages with its content type; None for anything else."""
    if name == "start.js":
        return _STARTER.encode(), "text/javascript"
    spec = importlib.util.find_spec("fastapi_offline")
    if name not in _ASSETS or spec is None or spec.origin is None:
        return None
    return (Path(spec.origin).parent / "static" / name).read_bytes(), _ASSETS[name]


def try_out_page() -> str:
    """The page to try requests on."""
    body = (
        '<div id="docs"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>'
    )
    return _page("Lambent API", body, '<link rel="stylesheet" href="/docs/swagger-ui.css">')


def reading_page() -> str:
    """The page to read."""
    return _page(
        "Lambent API", '<redoc spec-url="/openapi.json"></redoc><script src="/docs/redoc.standalone.js"></script>'
    )


def landing_page(rows: list[tuple[str, str]], functions: list[tuple[str, str]]) -> str:
    """What runs and where.

    Args:
        rows: name and address (or a word) of each part; addresses become links.
        functions: name and one line about each function.
    """
    parts = "".join(f"<tr><th>{html.escape(name)}</th><td>{_linked(value)}</td></tr>" for name, value in rows)
    table = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(line)}</td></tr>" for name, line in functions)
    body = f"<h1>Lambent</h1><table>{parts}</table><h2>Functions</h2><table>{table}</table>"
    return _page("Lambent on this machine", body, f"<style>{_STYLE}</style>")


def _linked(value: str) -> str:
    escaped = html.escape(value)
    return f'<a href="{escaped}">{escaped}</a>' if value.startswith("http") else escaped


def _page(title: str, body: str, head: str = "") -> str:
    start = f'<meta charset="utf-8"><title>{title}</title><link rel="icon" href="/docs/favicon.png">'
    return f'<!doctype html><html lang="en"><head>{start}{head}</head><body>{body}</body></html>'
