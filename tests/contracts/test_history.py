"""What happened to users' accounts: behind the wall of each, newest first, gone when it expires."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.errors import Forbidden
from shared.domain.history import UserEvent
from shared.domain.pages import After
from shared.domain.users import User, UserScope
from tests.contracts.samples import NOW, Store, at, new_id
from tests.contracts.test_users import add_user


def event(user: User, moment: datetime = NOW, **changes: object) -> UserEvent:
    made = UserEvent(new_id(), user.id, moment, "sign_in.succeeded", "198.51.100.7", moment + timedelta(days=180))
    return replace(made, **changes)  # type: ignore[arg-type]


async def note(store: Store, user: User, *events: UserEvent) -> None:
    async with store.transaction(None) as rows:
        await rows.users.enter(UserScope(user.id))
        for one in events:
            await rows.history.add(UserScope(user.id), one)


async def listed(store: Store, user: User, after: After | None = None, limit: int = 50) -> list[UserEvent]:
    async with store.transaction(None) as rows:
        await rows.users.enter(UserScope(user.id))
        return list(await rows.history.list(UserScope(user.id), after, limit))


async def test_event_comes_back_as_added(store: Store) -> None:
    user = await add_user(store)
    whole = event(user, client="httpx “1”", session_id=new_id(), details={"method": "password", "wait_seconds": 30})
    plain = event(user, at(1))
    await note(store, user, whole, plain)
    assert await listed(store, user) == [plain, whole]


async def test_events_come_in_pages_newest_first(store: Store) -> None:
    user = await add_user(store)
    events = [event(user, at(minute // 2)) for minute in range(7)]
    await note(store, user, *events)
    wanted = sorted(events, key=lambda one: (one.at, one.id), reverse=True)
    found: list[UserEvent] = []
    while page := await listed(store, user, After(found[-1].at, found[-1].id) if found else None, 2):
        found += page
    assert found == wanted


async def test_events_are_seen_by_their_user_alone(store: Store) -> None:
    user, other = await add_user(store), await add_user(store)
    await note(store, user, event(user))
    assert await listed(store, other) == []
    async with store.transaction(None) as rows:
        assert await rows.history.list(UserScope(user.id), None, 50) == []
        await rows.users.enter(UserScope(other.id))
        assert await rows.history.list(UserScope(user.id), None, 50) == []

    async def plant() -> None:
        async with store.transaction(None) as rows:
            await rows.users.enter(UserScope(other.id))
            await rows.history.add(UserScope(user.id), event(user))

    with pytest.raises(Forbidden):
        await plant()


async def test_event_of_nobody_is_written_like_any_other(store: Store) -> None:
    nobody = User(new_id(), "nobody@example.com", "", NOW)
    await note(store, nobody, event(nobody))
    assert len(await listed(store, nobody)) == 1


async def test_events_that_expired_are_removed_whosever_they_are(store: Store) -> None:
    user, other = await add_user(store), await add_user(store)
    await note(store, user, event(user, expires_at=at(10)), event(user, at(1), expires_at=at(11)))
    await note(store, other, event(other, at(10)))
    (left,) = await listed(store, user)
    assert left.at == at(1)
