"""The page to try the API on, which needs no network, and the one that says what runs.

What they show is the API's own description of itself, as every deployment serves it.
"""

import html
import importlib.util
from pathlib import Path

# Everything comes from this address; nothing a document contains can load or send anything elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; worker-src blob:; font-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_STYLE = "body{font:16px/1.5 system-ui;margin:3rem auto;max-width:56rem}th{text-align:left;padding-right:2rem}"
_STARTER = """window.ui = SwaggerUIBundle({
  url: "/api/v1/openapi.json", dom_id: "#docs", deepLinking: true, persistAuthorization: true
});"""


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
