"""What the elements of HTML mean to a reader."""

import re

from shared.domain.errors import Rejected


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


SKIPPED = _words(
    "head script style template noscript svg math canvas object embed iframe nav select button input textarea datalist"
    " dialog audio video map"
)
"""Left out with everything in them."""
BLOCKS = _words(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form header"
    " hgroup hr html legend main p section summary caption"
)
"""Set off from the words around them."""
HEADINGS = {f"h{level}": level for level in range(1, 7)}
LISTS = _words("ul ol menu dir")
CELLS = _words("td th")
VOID = _words("br hr img wbr")
"""Never hold anything."""
_UNCLOSED = _words(
    "area base br col embed hr img input link meta param source track wbr p li td th tr thead tbody tfoot dt dd option"
    " optgroup colgroup"
)
"""Have no end, or need not say where it is."""
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*)[^<>]*?(/?)>")
_SELF_CLOSED = re.compile(r"<(title|script|style|textarea|iframe|noscript|a|div|span|p)(\s[^<>]*)?/>", re.IGNORECASE)


def unfolded(html: str) -> str:
    """HTML whose elements all have an end tag of their own.

    XHTML may close any element in its own tag; an HTML parser would take the rest of the file for its content.
    """
    return _SELF_CLOSED.sub(r"<\1\2></\1>", html)


def check_depth(html: str, deepest: int) -> None:
    """Refuse absurd nesting before the parser sees it, whose time grows with the square of the depth.

    An estimate that tags without a counterpart can fool; then the limit on time remains.

    Raises:
        Rejected: `too_deep`.
    """
    if html.count("<") <= deepest:
        return
    depth = 0
    for tag in _TAG.finditer(html):
        closing, name, closed = tag.groups()
        if closed or name.lower() in _UNCLOSED:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        if depth > deepest:
            raise Rejected("the HTML is nested too deeply", code="too_deep")
