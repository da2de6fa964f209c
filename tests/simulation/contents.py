"""What the documents of a history say."""

import random
from functools import cache

from shared.domain.chunking import chunk
from shared.domain.chunks import Chunking, ChunkMethod
from shared.domain.errors import Rejected
from tests.simulation.powers import KILLER, REJECTED_WORD, read

PARAGRAPHS = (
    "Every employee has thirty days of paid leave in a calendar year, to be agreed with the team.",
    "Travel by train is booked through the office and paid back within a fortnight of the journey.",
    "Laptops are replaced after four years, or earlier when the battery lasts less than an hour.",
    "The tomatoes in the garden behind the office are watered by whoever comes in first each morning.",
    "Visitors sign the register at the entrance and are met by the colleague who invited them here.",
    "Invoices above ten thousand need two signatures, of which one comes from the finance department.",
    "The kitchen is cleaned on Fridays, and whatever stands in the fridge unlabelled is thrown away.",
    "Backups are tested on the first Monday of the month by restoring one of them to an empty machine.",
)
NAME = "handbook.txt"
"""All documents have one name: it is part of what is embedded, and equal paragraphs are to be equal texts."""
CHUNKINGS = tuple(Chunking(ChunkMethod.STRUCTURE, size=size) for size in (24, 60))


def drawn(chance: random.Random) -> bytes:
    """A file: mostly a few paragraphs, sometimes one that cannot be indexed."""
    if chance.random() < 0.08:
        return chance.choice((KILLER, b"", b"\xff\xfe\x00", b" \n\n ", refused(chance)))
    return "\n\n".join(chance.sample(PARAGRAPHS, chance.choice((1, 1, 2, 2, 3, 4)))).encode()


def refused(chance: random.Random) -> bytes:
    """A file whose last paragraph no embedding provider takes; what is before it may be paid for by then."""
    return f"{chance.choice(PARAGRAPHS)}\n\nThis is {REJECTED_WORD}.".encode()


@cache
def pieces(body: bytes, chunking: Chunking) -> tuple[str, ...] | None:
    """The chunks of a file; None for one that cannot be indexed."""
    if REJECTED_WORD.encode() in body or body == KILLER:
        return None
    try:
        extracted = read(body)
    except Rejected:
        return None
    return tuple(extracted.text[one.start : one.end] for one in chunk(extracted, chunking)) or None
