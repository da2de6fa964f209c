"""What headings say, and which of them are above a place."""

import pytest

from shared.domain.chunking_headings import Outline, heading_title
from shared.domain.extracted import Block, BlockKind


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("# Rivers", "Rivers"),
        ("## The **North** ##", "The North"),
        ("C# and `F#`", "C# and F#"),
        ("Title\n=====", "Title"),
        ("=====\nTitle\n=====", "Title"),
        ("** Org heading", "Org heading"),
        ("[Linked](http://x/y) title", "Linked title"),
        ("1.2 Scope\nof the work", "1.2 Scope of the work"),
        ("---", ""),
        ("x" * 500, "x" * 200),
    ],
)
def test_heading_title_drops_marks(source: str, title: str) -> None:
    assert heading_title(source) == title


def test_path_follows_levels() -> None:
    text = "A B C D"
    levels = (1, 3, 2, 1)
    blocks = [Block(BlockKind.HEADING, 2 * index, 2 * index + 1, level) for index, level in enumerate(levels)]
    outline = Outline(text, blocks)
    assert [outline.path(offset) for offset in (0, 2, 4, 5, 6)] == [("A",), ("A", "B"), ("A", "C"), ("A", "C"), ("D",)]


def test_path_before_any_heading_is_empty() -> None:
    assert Outline("x A", [Block(BlockKind.HEADING, 2, 3, 1)]).path(0) == ()
