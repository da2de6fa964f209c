"""Web pages."""

from shared.adapters.files.html_items import html_items
from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.source import Source


def read(source: Source, manuscript: Manuscript) -> None:
    """Write the visible blocks of a page."""
    items, manuscript.title = html_items(source.text, depth=source.limits.depth)
    manuscript.extend(items)
