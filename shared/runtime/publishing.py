"""The API's description as it is published: one OpenAPI document, and a page that shows it from this address alone.

A build writes both into this folder of the shared layer (`python -m shared.runtime.publishing`), so that the function
that hands them out imports no other area. From the sources they are made when first asked for.
"""

import gzip
import json
import sys
from functools import cache
from pathlib import Path

from starlette.responses import JSONResponse

from shared.runtime.web import Response

PUBLISHED = Path(__file__).parent / "published"
DOCUMENT = "openapi.json"
SCRIPT = "redoc.standalone.js"
# Everything comes from this address; nothing a document contains can load or send anything elsewhere. Redoc writes its
# styles into the page and searches in a worker it makes itself.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; worker-src blob:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Addresses are relative, because a deployment's begin with the name of its stage.
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lambent API</title><link rel="icon" href="data:,"></head>
<body><redoc spec-url="openapi.json"></redoc><script src="docs/redoc.js"></script></body></html>
"""
KEPT = {"cache-control": "public, max-age=300"}


class OpenApiResponse(JSONResponse):
    """The document, which is JSON already."""

    def render(self, content: bytes) -> bytes:
        """As it is."""
        return content


class PageResponse(Response):
    """A page that may show what comes from its own address."""

    media_type = "text/html"


class ScriptResponse(Response):
    """The script of the page."""

    media_type = "text/javascript"


def openapi_document() -> OpenApiResponse:
    """The document, as the build wrote it."""
    return OpenApiResponse(published(DOCUMENT), headers=KEPT)


def page() -> PageResponse:
    """The page, which loads document and script from beside itself."""
    return PageResponse(PAGE, headers={**KEPT, "content-security-policy": POLICY})


def script() -> ScriptResponse:
    """The page's script."""
    return ScriptResponse(published(SCRIPT), headers=KEPT)


@cache
def published(name: str) -> bytes:
    """What the build wrote; made now where nothing was built."""
    kept = PUBLISHED / f"{name}.gz"
    return gzip.decompress(kept.read_bytes()) if kept.is_file() else made(name)


def made(name: str) -> bytes:
    """The document out of every area's routes, or the script out of the package that brings it along."""
    if name == DOCUMENT:
        from shared.runtime.openapi import merged

        return json.dumps(merged(), ensure_ascii=False, separators=(",", ":")).encode()
    from importlib.resources import files

    return files("fastapi_offline").joinpath("static", name).read_bytes()


def publish(folder: Path) -> None:
    """Write everything into a folder, compressed: it counts towards the weight of every function."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (DOCUMENT, SCRIPT):
        # Without a time of making: the same content gives the same file.
        (folder / f"{name}.gz").write_bytes(gzip.compress(made(name), mtime=0))


if __name__ == "__main__":
    publish(Path(sys.argv[1]))
