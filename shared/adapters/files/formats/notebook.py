"""Jupyter notebooks."""

import json
from typing import Any

from shared.adapters.files.formats.markdown import markdown_blocks
from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.source import Source
from shared.adapters.files.text import clean
from shared.domain.extracted import BlockKind


def read(source: Source, manuscript: Manuscript) -> None:
    """Write the cells in order: Markdown as Markdown, code as code. Outputs are left out, with a warning."""
    notebook = json.loads(source.text)
    cells = notebook.get("cells")
    if cells is None:
        # Before format 4 the cells lay in worksheets.
        cells = [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
    metadata = notebook.get("metadata", {})
    manuscript.title = str(metadata.get("title") or "")
    manuscript.describe("language", metadata.get("kernelspec", {}).get("language"))
    outputs = 0
    for cell in cells:
        text = clean(_joined(cell.get("source", cell.get("input", "")))).strip("\n")
        outputs += len(cell.get("outputs") or ())
        if cell.get("cell_type") == "markdown":
            manuscript.source(text, markdown_blocks(text))
        elif cell.get("cell_type") == "code":
            manuscript.add(BlockKind.CODE, text)
        else:
            manuscript.add(BlockKind.PARAGRAPH, text)
    if outputs:
        manuscript.warn(f"the outputs of {outputs} cells were left out")


def _joined(source: Any) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source)
