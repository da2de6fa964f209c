"""Identifiers that sort by the time they were made."""

from datetime import datetime
from uuid import UUID


def time_ordered_id(now: datetime, random_bits: int) -> UUID:
    """A version 7 UUID (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits.

    Args:
        now: timezone-aware time.
        random_bits: at least 74 bits of randomness.
    """
    value = (int(now.timestamp() * 1000) & (2**48 - 1)) << 80
    value |= 0x7 << 76
    value |= ((random_bits >> 62) & 0xFFF) << 64
    value |= 0b10 << 62
    value |= random_bits & (2**62 - 1)
    return UUID(int=value)
