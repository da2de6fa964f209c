"""Answers of requests that carry an idempotency key, in every store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.domain.errors import Conflict, LambentError, UnderWay
from shared.domain.idempotency import LIFE, Claim, KeptAnswer
from shared.domain.receipts import Subject, SubjectKind
from shared.domain.tenants import TenantScope
from shared.domain.users import UserScope
from tests.contracts.samples import NOW, Room, Store, at, new_id, new_room

type Another = Callable[[], Store]

ANSWER = KeptAnswer(201, {"content-type": "application/json"}, '{"id": 1}')


def claim_in(scope: TenantScope, key: str = "key", **changes: Any) -> Claim:
    made = Claim(scope.tenant_id, str(scope.principal), key, "a request", NOW)
    return replace(made, **changes)


def own_claim(user: UserScope, key: str = "key", **changes: Any) -> Claim:
    return replace(Claim(None, str(user.principal), key, "a request", NOW), **changes)


async def answered(store: Store, room: Room, claim: Claim, answer: KeptAnswer = ANSWER) -> KeptAnswer | None:
    """As a door does it: what the first was answered, or None when this is the first."""
    async with store.transaction(room.scope) as rows:
        earlier = await rows.idempotency.claim(claim)
        if earlier is None:
            await rows.idempotency.keep(claim, answer)
        return earlier


async def subject_left(store: Store, room: Room, subject: Subject) -> int:
    async with store.transaction(room.scope) as rows:
        return await rows.idempotency.left(room.scope, subject)


async def test_claim_again_returns_what_the_first_was_answered(store: Store) -> None:
    room = await new_room(store)
    claim = claim_in(room.scope)
    assert await answered(store, room, claim) is None
    assert await answered(store, room, replace(claim, at=at(5))) == ANSWER


async def test_claim_of_another_request_is_refused(store: Store) -> None:
    room = await new_room(store)
    await answered(store, room, claim_in(room.scope))
    with pytest.raises(Conflict) as refused:
        await answered(store, room, claim_in(room.scope, fingerprint="another request"))
    assert refused.value.code == "idempotency_key_reused"


async def test_claim_whose_transaction_fails_leaves_nothing(store: Store) -> None:
    room = await new_room(store)
    claim = claim_in(room.scope)

    async def dying() -> None:
        async with store.transaction(room.scope) as rows:
            assert await rows.idempotency.claim(claim) is None
            await rows.idempotency.keep(claim, ANSWER)
            raise RuntimeError("the process died")

    with pytest.raises(RuntimeError):
        await dying()
    assert await answered(store, room, claim) is None


async def test_claim_while_another_holds_the_key_is_under_way(store: Store, another: Another) -> None:
    room = await new_room(store)
    claim = claim_in(room.scope)
    async with store.transaction(room.scope) as rows:
        assert await rows.idempotency.claim(claim) is None
        with pytest.raises(UnderWay) as refused:
            await answered(another(), room, claim)
        assert refused.value.seconds > 0
        other = await answered(another(), room, claim_in(room.scope, "another key"))
        assert other is None
        await rows.idempotency.keep(claim, ANSWER)
    assert await answered(store, room, claim) == ANSWER


async def test_claim_of_fifty_at_once_is_granted_to_one(store: Store, another: Another) -> None:
    room = await new_room(store)
    claim = claim_in(room.scope)
    stores = [store, *(another() for _ in range(4))]

    async def attempt(number: int) -> str:
        try:
            found = await answered(stores[number % len(stores)], room, claim)
        except LambentError as error:
            return error.code
        return "first" if found is None else "again"

    outcomes = await asyncio.gather(*(attempt(number) for number in range(50)))
    assert outcomes.count("first") == 1
    assert set(outcomes) <= {"first", "again", "idempotency_in_progress"}


async def test_key_is_its_principals_and_its_tenants_own(store: Store) -> None:
    room, elsewhere = await new_room(store), await new_room(store)
    await answered(store, room, claim_in(room.scope))
    assert await answered(store, room, claim_in(room.scope, principal="user:someone")) is None
    assert await answered(store, elsewhere, claim_in(elsewhere.scope)) is None


async def test_key_of_another_tenant_is_out_of_reach(store: Store) -> None:
    room, elsewhere = await new_room(store), await new_room(store)
    await answered(store, room, claim_in(room.scope))
    theirs = claim_in(room.scope)
    async with store.transaction(elsewhere.scope) as rows:
        try:
            found = await rows.idempotency.claim(theirs)
        except LambentError:
            found = None
    assert found is None


async def test_key_may_be_used_anew_after_a_day(store: Store) -> None:
    room = await new_room(store)
    await answered(store, room, claim_in(room.scope))
    almost = claim_in(room.scope, at=NOW + LIFE - timedelta(seconds=1))
    assert await answered(store, room, almost) == ANSWER
    later = claim_in(room.scope, at=NOW + LIFE, fingerprint="another request")
    assert await answered(store, room, later) is None


async def test_keep_without_body_or_with_other_letters_comes_back_as_it_was(store: Store) -> None:
    room = await new_room(store)
    odd = KeptAnswer(409, {"content-type": "application/problem+json", "x": "y"}, '{"name": "Straße \\u0000 ☃"}')
    await answered(store, room, claim_in(room.scope), odd)
    assert await answered(store, room, claim_in(room.scope)) == odd


async def lease(store: Store, room: Room, claim: Claim) -> KeptAnswer | None:
    async with store.transaction(room.scope) as rows:
        return await rows.idempotency.claim(claim)


async def test_lease_keeps_others_out_until_it_is_answered(store: Store) -> None:
    room = await new_room(store)
    first = claim_in(room.scope, lease=new_id(), until=at(2))
    assert await lease(store, room, first) is None
    with pytest.raises(UnderWay) as refused:
        await lease(store, room, replace(first, lease=new_id(), at=at(1)))
    assert refused.value.seconds == 60
    async with store.transaction(room.scope) as rows:
        await rows.idempotency.keep(first, ANSWER)
    assert await lease(store, room, replace(first, lease=new_id(), at=at(3))) == ANSWER


async def test_lease_that_ended_goes_to_the_next_and_the_first_cannot_answer(store: Store) -> None:
    room = await new_room(store)
    first = claim_in(room.scope, lease=new_id(), until=at(2))
    second = replace(first, lease=new_id(), at=at(2), until=at(4))
    assert await lease(store, room, first) is None
    assert await lease(store, room, second) is None
    with pytest.raises(Conflict) as refused:
        async with store.transaction(room.scope) as rows:
            await rows.idempotency.keep(first, ANSWER)
    assert refused.value.code == "idempotency_lease_lost"
    async with store.transaction(room.scope) as rows:
        await rows.idempotency.release(first)
        await rows.idempotency.keep(second, ANSWER)
    assert await lease(store, room, replace(first, lease=new_id(), at=at(5))) == ANSWER


async def test_lease_that_is_given_back_is_free_at_once(store: Store) -> None:
    room = await new_room(store)
    first = claim_in(room.scope, lease=new_id(), until=at(2))
    await lease(store, room, first)
    async with store.transaction(room.scope) as rows:
        await rows.idempotency.release(first)
    assert await lease(store, room, replace(first, lease=new_id())) is None


async def test_finish_is_noted(store: Store) -> None:
    room = await new_room(store)
    claim = claim_in(room.scope)
    await answered(store, room, claim, replace(ANSWER, finished=False))
    assert await answered(store, room, claim) == replace(ANSWER, finished=False)
    async with store.transaction(room.scope) as rows:
        await rows.idempotency.finish(claim)
    assert await answered(store, room, claim) == ANSWER


async def test_erase_takes_what_is_said_and_keeps_the_key(store: Store) -> None:
    room = await new_room(store)
    document, other = new_id(), new_id()
    await answered(store, room, claim_in(room.scope, "one"), replace(ANSWER, about=frozenset({document, new_id()})))
    await answered(store, room, claim_in(room.scope, "two"), replace(ANSWER, about=frozenset({other})))
    subject = Subject(SubjectKind.DOCUMENT, document)
    assert await subject_left(store, room, subject) == 1
    async with store.transaction(room.scope) as rows:
        assert await rows.idempotency.erase(room.scope, subject) == 1
        assert await rows.idempotency.erase(room.scope, subject) == 0
    assert await subject_left(store, room, subject) == 0
    gone = await answered(store, room, claim_in(room.scope, "one"))
    assert gone is not None
    assert gone.body is None
    assert await answered(store, room, claim_in(room.scope, "two")) == ANSWER


@pytest.mark.parametrize("kind", [SubjectKind.PROJECT, SubjectKind.TENANT])
async def test_erase_of_a_room_takes_all_of_it_and_nothing_else(store: Store, kind: SubjectKind) -> None:
    room, elsewhere = await new_room(store), await new_room(store)
    project = room.scope.project_id
    await answered(store, room, claim_in(room.scope, "one", project_id=project))
    await answered(store, room, claim_in(room.scope, "two"), replace(ANSWER, about=frozenset({project})))
    await answered(store, elsewhere, claim_in(elsewhere.scope, "one", project_id=elsewhere.scope.project_id))
    subject = Subject(kind, project if kind is SubjectKind.PROJECT else room.scope.tenant_id)
    async with store.transaction(room.scope) as rows:
        assert await rows.idempotency.erase(room.scope, subject) == 2
        assert await rows.idempotency.left(room.scope, subject) == 0
    assert await subject_left(store, elsewhere, Subject(SubjectKind.TENANT, elsewhere.scope.tenant_id)) == 1


async def test_purge_takes_what_is_a_day_old_of_every_tenant(store: Store) -> None:
    room, elsewhere = await new_room(store), await new_room(store)
    await answered(store, room, claim_in(room.scope, "old"))
    await answered(store, elsewhere, claim_in(elsewhere.scope, "old"))
    await answered(store, room, claim_in(room.scope, "young", at=at(60)))
    async with store.transaction(None) as rows:
        assert await rows.idempotency.purge(NOW + LIFE - timedelta(seconds=1), 10) == 0
        assert await rows.idempotency.purge(NOW + LIFE, 1) == 1
        assert await rows.idempotency.purge(NOW + LIFE, 10) == 1
    assert await answered(store, room, claim_in(room.scope, "young", at=at(61))) == ANSWER


async def entered(store: Store, user: UserScope, claim: Claim) -> KeptAnswer | None:
    async with store.transaction(None) as rows:
        await rows.users.enter(user)
        earlier = await rows.idempotency.claim(claim)
        if earlier is None:
            await rows.idempotency.keep(claim, ANSWER)
        return earlier


async def test_key_of_a_user_outside_all_tenants_is_their_own(store: Store) -> None:
    ada, bob = UserScope(UUID(int=new_id().int)), UserScope(UUID(int=new_id().int))
    assert await entered(store, ada, own_claim(ada)) is None
    assert await entered(store, ada, own_claim(ada)) == ANSWER
    assert await entered(store, bob, own_claim(bob)) is None
    with pytest.raises(LambentError):
        await entered(store, bob, own_claim(ada, "another key"))
    async with store.transaction(None) as rows:
        await rows.users.enter(ada)
        assert await rows.idempotency.erase_own(ada) == 1
    assert await entered(store, ada, own_claim(ada)) is None
    assert await entered(store, bob, own_claim(bob)) == ANSWER
