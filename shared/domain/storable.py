"""Text that every store and every answer can carry."""

import re
from collections.abc import Mapping

UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")
"""NUL, which databases refuse in text, and halves of surrogate pairs, which no UTF-8 can spell. JSON can write both."""


def storable(value: object) -> bool:
    """Whether every text in a JSON value, keys included, can be kept.

    Args:
        value: what a JSON parser returns.
    """
    # A stack instead of recursion: depth is the sender's choice.
    left: list[object] = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if UNSTORABLE.search(one):
                return False
        elif isinstance(one, Mapping):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            left += one
    return True
