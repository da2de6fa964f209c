"""Vectors in the binary form of pgvector: packing a vector takes a tenth of the time that writing it as text does.

The types have no fixed number (OID), so values are sent without one and the statement casts them: `CAST(:embedding AS
vector)`. The elements of an array must name their type, which `Session.oid` knows.
"""

import struct
from collections.abc import Mapping, Sequence

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

from shared.domain.bm25 import DIMENSIONS


class Binary:
    """A parameter that is in the server's binary form already."""

    __slots__ = ("payload",)

    def __init__(self, payload: bytes) -> None:
        self.payload = payload


class BinaryDumper(Dumper):
    """Hands the payload over as it is; the statement's cast gives it its type."""

    format = Format.BINARY
    oid = 0

    def dump(self, obj: Binary) -> Buffer | None:
        """The payload."""
        return obj.payload


def register() -> None:
    """Make it known to connections that are opened from now on. Of our own class only: nothing else is affected."""
    psycopg.adapters.register_dumper(Binary, BinaryDumper)


def vector(values: Sequence[float]) -> bytes:
    """`vector_recv`: int16 dimensions, int16 unused, float32 each."""
    return struct.pack(f">HH{len(values)}f", len(values), 0, *values)


def sparse(weights: Mapping[int, float]) -> bytes:
    """`sparsevec_recv`: int32 dimensions, int32 count, int32 unused, the indexes in order, float32 each.

    Args:
        weights: by index from 0, in ascending order of the index.
    """
    count = len(weights)
    return struct.pack(f">iii{count}i{count}f", DIMENSIONS, count, 0, *weights, *weights.values())


def sparse_indexes(payload: bytes) -> tuple[int, ...]:
    """The indexes in what `sparsevec_send` gives."""
    (count,) = struct.unpack_from(">i", payload, 4)
    return struct.unpack_from(f">{count}i", payload, 12)


def read_sparse(payload: bytes) -> dict[int, float]:
    """What `sparsevec_send` gives."""
    indexes = sparse_indexes(payload)
    return dict(zip(indexes, struct.unpack_from(f">{len(indexes)}f", payload, 12 + 4 * len(indexes)), strict=True))


def array(oid: int, items: Sequence[bytes]) -> Binary:
    """`array_recv`: one dimension, no nulls, elements of the type `oid`."""
    if not items:
        return Binary(struct.pack(">iiI", 0, 0, oid))
    parts = [struct.pack(">iiIii", 1, 0, oid, len(items), 1)]
    for item in items:
        parts += (struct.pack(">i", len(item)), item)
    return Binary(b"".join(parts))


INTEGER = 23
"""The OID of int4, the same in every database."""


def integers(values: Sequence[int]) -> Binary:
    """An array of int4: ten times as fast to pack as the driver writes a list."""
    if not values:
        return array(INTEGER, [])
    sized = [4] * (2 * len(values))
    sized[1::2] = values
    return Binary(struct.pack(f">iiIii{len(sized)}i", 1, 0, INTEGER, len(values), 1, *sized))


def floats(values: Sequence[float]) -> bytes:
    """Little-endian float32, for columns that no SQL looks into."""
    return struct.pack(f"<{len(values)}f", *values)


def read_floats(payload: bytes) -> tuple[float, ...]:
    """Undo `floats`."""
    return struct.unpack(f"<{len(payload) // 4}f", payload)
