"""Transactions in memory: waiting, circles of waiting, and what is left when a waiter goes away."""

import asyncio
from uuid import UUID

import pytest

from shared.adapters.memory.rows_transaction import Tables, Transaction
from shared.domain.errors import Forbidden, Unavailable

TENANT, OTHER = UUID(int=1), UUID(int=2)


def begin(tables: Tables, tenant_id: UUID | None = TENANT) -> Transaction:
    return Transaction(tables, tenant_id)


async def settled() -> None:
    """Let every task run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_put_is_seen_by_others_after_commit_only() -> None:
    tables = Tables()
    writer, reader = begin(tables), begin(tables)
    await writer.put("t", TENANT, ("k",), "new")
    assert writer.get("t", TENANT, ("k",)) == "new"
    assert reader.get("t", TENANT, ("k",)) is None
    writer.commit()
    writer.end()
    assert reader.get("t", TENANT, ("k",)) == "new"
    assert list(reader.items("t", TENANT)) == [(("k",), "new")]


async def test_end_without_commit_drops_what_was_written() -> None:
    tables = Tables()
    kept = begin(tables)
    await kept.put("t", TENANT, ("k",), "old")
    kept.commit()
    kept.end()
    dropped = begin(tables)
    await dropped.put("t", TENANT, ("k",), "new")
    assert await dropped.remove("t", TENANT, ("k",))
    assert dropped.get("t", TENANT, ("k",)) is None
    dropped.end()
    assert begin(tables).get("t", TENANT, ("k",)) == "old"


async def test_remove_of_what_is_not_there_says_so() -> None:
    transaction = begin(Tables())
    assert not await transaction.remove("t", TENANT, ("k",))
    await transaction.put("t", TENANT, ("k",), 1)
    assert await transaction.remove("t", TENANT, ("k",))
    assert not await transaction.remove("t", TENANT, ("k",))
    assert list(transaction.items("t", TENANT)) == []


async def test_lock_is_given_in_the_order_of_asking() -> None:
    tables, order = Tables(), []
    holder = begin(tables)
    await holder.lock("t", TENANT, ("k",))

    async def waiter(number: int) -> None:
        transaction = begin(tables)
        await transaction.lock("t", TENANT, ("k",))
        order.append(number)
        await asyncio.sleep(0)
        transaction.end()

    tasks = [asyncio.create_task(waiter(number)) for number in range(3)]
    await settled()
    assert order == []
    holder.end()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2]
    assert tables.holders == {}
    assert not tables.queues


async def test_lock_in_a_circle_is_refused_to_the_one_who_closes_it() -> None:
    tables = Tables()
    one, two = begin(tables), begin(tables)
    await one.lock("t", TENANT, ("a",))
    await two.lock("t", TENANT, ("b",))
    waiting = asyncio.create_task(one.lock("t", TENANT, ("b",)))
    await settled()
    with pytest.raises(Unavailable) as raised:
        await two.lock("t", TENANT, ("a",))
    assert raised.value.code == "database_conflict"
    two.end()
    await waiting
    one.end()
    assert tables.holders == {}


async def test_lock_whose_waiter_is_cancelled_goes_to_the_next() -> None:
    tables = Tables()
    holder, gone, next_one = begin(tables), begin(tables), begin(tables)
    await holder.lock("t", TENANT, ("k",))
    cancelled = asyncio.create_task(gone.lock("t", TENANT, ("k",)))
    patient = asyncio.create_task(next_one.lock("t", TENANT, ("k",)))
    await settled()
    cancelled.cancel()
    await settled()
    gone.end()
    holder.end()
    await patient
    assert not gone.free("t", TENANT, ("k",))
    next_one.end()
    assert gone.free("t", TENANT, ("k",))


async def test_lock_whose_waiter_is_cancelled_at_its_turn_is_let_go_at_its_end() -> None:
    tables = Tables()
    holder, unlucky = begin(tables), begin(tables)
    await holder.lock("t", TENANT, ("k",))
    waiting = asyncio.create_task(unlucky.lock("t", TENANT, ("k",)))
    await settled()
    holder.end()
    waiting.cancel()
    await settled()
    unlucky.end()
    assert tables.holders == {}


async def test_rows_of_another_tenant_are_out_of_reach() -> None:
    tables = Tables()
    mine, theirs, nobody = begin(tables), begin(tables, OTHER), begin(tables, None)
    await theirs.put("t", OTHER, ("k",), "secret")
    theirs.commit()
    theirs.end()
    for transaction in (mine, nobody):
        assert transaction.get("t", OTHER, ("k",)) is None
        assert list(transaction.items("t", OTHER)) == []
        with pytest.raises(Forbidden):
            await transaction.put("t", OTHER, ("k",), "planted")
        with pytest.raises(Forbidden):
            await transaction.remove("t", OTHER, ("k",))
    assert [row for _, _, row in mine.everyones("t")] == ["secret"]


async def test_lock_behind_one_whose_turn_has_just_come_waits_like_any_other() -> None:
    tables = Tables()
    holder, heir, third = begin(tables), begin(tables), begin(tables)
    await holder.lock("t", TENANT, ("k",))
    waiting = asyncio.create_task(heir.lock("t", TENANT, ("k",)))
    await settled()
    holder.end()
    # The row is the heir's, whose task has not woken yet.
    behind = asyncio.create_task(third.lock("t", TENANT, ("k",)))
    await asyncio.wait_for(waiting, 1)
    heir.end()
    await asyncio.wait_for(behind, 1)
    assert not heir.free("t", TENANT, ("k",))
