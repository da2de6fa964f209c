"""The order of what waits when no tenant may hold up another."""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID


def in_turn[Place: Any](waiting: Iterable[tuple[UUID, Place]]) -> list[tuple[UUID, Place]]:
    """One of each tenant before the second of any, and the earliest place first."""
    turns: Counter[UUID] = Counter()
    numbered = []
    for tenant_id, place in sorted(waiting, key=lambda one: one[1]):
        turns[tenant_id] += 1
        numbered.append((turns[tenant_id], place, tenant_id))
    return [(tenant_id, place) for _, place, tenant_id in sorted(numbered)]
