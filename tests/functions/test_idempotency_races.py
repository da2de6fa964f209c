"""Requests with one key at the same time, and connections that die at the worst moment, over a real database."""

import asyncio
import importlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest

from shared import bootstrap
from shared.adapters.postgres.rows import PgRows
from shared.adapters.postgres.store import PgStore
from shared.domain.tenants import TenantScope
from shared.runtime.http import door
from shared.runtime.invocation import run
from shared.runtime.routes import area_of
from tests.fixtures.postgres import PostgresUrls
from tests.functions.processes import Processes
from tests.functions.texts import LEAVE
from tests.functions.world import Client, World

AT_ONCE = 50
KEY = "one-thing-once"


class Killing:
    """A database whose connection is killed when a transaction has done its work.

    Just before it commits; or when it has committed, before anybody hears of it.
    """

    def __init__(self, inner: PgStore, superuser: str, *, committed: bool, number: int) -> None:
        self.inner = inner
        self.superuser = superuser
        self.committed = committed
        self.left = number

    @asynccontextmanager
    async def transaction(self, scope: TenantScope | None) -> AsyncIterator[PgRows]:
        self.left -= 1
        dying = self.left == 0
        async with self.inner.transaction(scope) as rows:
            yield rows
            if dying:
                session = rows._session
                pid = await session.scalar(importlib.import_module("sqlalchemy").text("SELECT pg_backend_pid()"))
                if self.committed:
                    await session._line.driver.execute("COMMIT")
                with psycopg.connect(self.superuser, autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s)", [pid])


@pytest.fixture
def world(database: PostgresUrls) -> Iterator[World]:
    """A deployment over the database, with the connections of several processes."""
    made = World()
    processes = Processes(database.app)
    with made.active(), bootstrap.override(store=processes):
        yield made
    run(processes.close())


async def asked(http: httpx.AsyncClient, client: Client, path: str, body: Any) -> tuple[httpx.Response, int]:
    """One caller, who asks until there is an answer; and how often it was told to wait."""
    headers = {"Authorization": f"Bearer {client.key}", "Idempotency-Key": KEY}
    for waits in range(400):
        answer = await http.post(f"/api/v1{path}", json=body, headers=headers)
        if answer.status_code != 409:
            return answer, waits
        assert answer.json()["code"] == "idempotency_in_progress", answer.text
        assert int(answer.headers["retry-after"]) >= 1
        await asyncio.sleep(0.1)
    raise AssertionError("it never ends")


def at_once(client: Client, path: str, body: Any) -> list[tuple[httpx.Response, int]]:
    """What so many callers at once were answered."""

    async def all_of_them() -> list[tuple[httpx.Response, int]]:
        app = door(importlib.import_module(f"functions.{area_of('/api/v1' + path)}.app").router)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here", timeout=60)
        # One that fails ends the others: none is left asking when the connections are closed.
        async with http, asyncio.TaskGroup() as group:
            tasks = [group.create_task(asked(http, client, path, body)) for _ in range(AT_ONCE)]
        return [task.result() for task in tasks]

    return run(all_of_them())


def counted(database: PostgresUrls, table: str) -> int:
    with psycopg.connect(database.superuser) as connection:
        found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert found is not None
    return int(found[0])


def a_run(client: Client) -> tuple[str, Any]:
    return "/ingestions", {"name": "July", "collection_id": client.collection()}


def a_document(client: Client) -> tuple[str, Any]:
    return "/documents", {"collection_id": client.collection(), "name": "leave.txt"}


def a_webhook(client: Client) -> tuple[str, Any]:
    return "/webhooks", {"url": "https://example.com/hook"}


def a_key(client: Client) -> tuple[str, Any]:
    return f"/orgs/{client.tenant_id}/keys", {"name": "robot", "permissions": ["documents:read"]}


@pytest.mark.parametrize(
    ("made", "table"),
    [(a_run, "ingestions"), (a_document, "documents"), (a_webhook, "webhooks"), (a_key, "api_keys")],
    ids=["ingestion", "document", "webhook", "key"],
)
def test_fifty_at_once_make_one(
    world: World, database: PostgresUrls, made: Callable[[Client], tuple[str, Any]], table: str
) -> None:
    owner = world.owner()
    path, body = made(owner)
    before = counted(database, table)
    answers = at_once(owner, path, body)
    assert {answer.status_code for answer, _ in answers} == {201}, Counter(one.text for one, _ in answers)
    first = [answer for answer, _ in answers if "idempotent-replayed" not in answer.headers]
    assert len(first) == 1
    ids = {answer.json().get("id") or answer.json()["document"]["id"] for answer, _ in answers}
    assert len(ids) == 1
    assert counted(database, table) == before + 1


def test_fifty_questions_at_once_are_one(world: World, database: PostgresUrls) -> None:
    owner = world.owner()
    collection = owner.collection(chunking={"method": "structure", "size": 40})
    owner.upload(collection, LEAVE)
    world.settle()
    chat = owner.post("/chats", {"collection_ids": [collection]}).json["id"]
    answers = at_once(owner, f"/chats/{chat}/messages", {"question": "How many days of paid leave?"})
    assert {answer.status_code for answer, _ in answers} == {201}, Counter(one.text for one, _ in answers)
    assert len({answer.json()["answer"]["id"] for answer, _ in answers}) == 1
    assert counted(database, "messages") == 2
    assert any(waits for _, waits in answers)


def test_fifty_organisations_at_once_are_one(world: World, database: PostgresUrls) -> None:
    ada = world.person()
    answers = at_once(ada, "/orgs", {"name": "Engines"})
    assert {answer.status_code for answer, _ in answers} == {201}, Counter(one.text for one, _ in answers)
    assert len({answer.text for answer, _ in answers}) == 1
    assert counted(database, "tenants") == 2


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "behind the commit"])
@pytest.mark.parametrize("made", [a_run, a_document], ids=["ingestion", "document"])
def test_connection_that_dies_at_the_commit_then_retry_makes_one(
    world: World, database: PostgresUrls, made: Callable[[Client], tuple[str, Any]], committed: bool
) -> None:
    owner = world.owner()
    path, body = made(owner)
    table = path.strip("/")
    store = PgStore(database.app)
    killing = Killing(store, database.superuser, committed=committed, number=1)
    with bootstrap.override(store=killing):
        assert owner.post(path, body, **{"Idempotency-Key": KEY}).status == 503
    run(store.close())
    again = owner.post(path, body, **{"Idempotency-Key": KEY})
    assert again.status == 201, again.body
    assert ("idempotent-replayed" in again.headers) is committed
    assert counted(database, table) == 1
