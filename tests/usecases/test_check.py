"""Health probes: each on its own, none for ever."""

import asyncio

import pytest

from shared.adapters.memory.clock import ManualClock
from shared.domain.errors import Unavailable
from shared.usecases.health import check as checking
from shared.usecases.health.check import Health, Part, check


async def fine() -> str:
    return "answers"


async def down() -> str:
    raise Unavailable("the store is down")


async def hung() -> str:
    await asyncio.Event().wait()
    return "never"


async def test_check_asks_every_part_and_tells_each_apart() -> None:
    parts = await check(ManualClock(), {"a": fine, "b": down})
    assert parts == (Part("a", True, 0.0, "answers"), Part("b", False, 0.0, "the store is down"))
    assert not Health(parts).healthy
    assert Health(parts[:1]).healthy


async def test_check_of_part_that_hangs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PROBE_SECONDS", 0.01)
    (part, other) = await check(ManualClock(), {"a": hung, "b": fine})
    assert (part.healthy, part.detail) == (False, "no answer within 0 s")
    assert other.healthy


async def test_check_with_a_fault_nobody_foresaw_is_not_taken_for_health() -> None:
    async def broken() -> str:
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError):
        await check(ManualClock(), {"a": broken})
