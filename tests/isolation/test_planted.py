"""A wall is taken down, and the probes must find the hole: what would not is no evidence."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from functions.documents import app as documents_app
from shared.adapters.postgres.documents import PgDocuments
from shared.adapters.postgres.sessions import PgSessions
from shared.adapters.postgres.tenants import PgKeys
from shared.domain.errors import Forbidden
from shared.domain.events import Queue
from shared.domain.sessions import ACCESS_LIFE
from shared.domain.tenants import Credential, Scope
from shared.runtime import auth
from shared.runtime.http import routes_of
from shared.runtime.transactions import transaction
from shared.runtime.web import APIRoute
from shared.usecases.ingest import extract
from tests.functions.requests import Route
from tests.isolation.attackers import Crowds
from tests.isolation.cells import cells
from tests.isolation.forging import Forger
from tests.isolation.model import TABLES
from tests.isolation.probing import Campaign, Tally, report
from tests.isolation.town import DEFAULT, HOUSES, Room, Town
from tests.schemas.__main__ import Nowhere

DOCUMENT = "/api/v1/documents/{document_id}"
GET_DOCUMENT = ("GET", DOCUMENT)
FOREIGN, BESIDE, ROLELESS = "other tenant's user", "other project's key", "same tenant without the role"
LEFT_OUT = "left out by the list"


def probed(town: Town, crowds: Crowds, attacker: str, *routes: Route, times: int = 4) -> Tally:
    """Probes of one attacker, each undone."""
    wanted = [one for one in cells() if one.attacker.name == attacker and (not routes or one.operation.route in routes)]
    with redirect_stdout(Nowhere()):
        return Campaign(town, crowds, 1, safely=True).run(len(wanted) * times, wanted)


def found(tally: Tally, words: str) -> bool:
    return any(words in leak for leak in tally.leaks)


@pytest.fixture(autouse=True)
def _nothing_stays(town: Town) -> Iterator[None]:
    yield
    assert town.witness.changes() == []


@contextmanager
def open_policies(town: Town, tables: Sequence[str] = TABLES) -> Iterator[None]:
    """Row-level security asks for nothing on these tables."""
    for table in tables:
        town.witness.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    try:
        yield
    finally:
        for table in tables:
            town.witness.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        town.witness.remember()


def everybodys(town: Town) -> dict[UUID, Room]:
    """The room of every document that probes name."""
    rooms = [room for house in HOUSES for room in town.houses[house].rooms.values()]
    return {UUID(room.names["document_id"]): room for room in rooms}


def forgetful(town: Town, **forgotten: bool) -> Callable[..., Any]:
    """The look-up of a document, that has forgotten the tenant or the project."""
    get, rooms = PgDocuments.latest, everybodys(town)

    async def careless(self: PgDocuments, scope: Scope, id: UUID, **more: Any) -> Any:
        if (room := rooms.get(id)) is not None:
            tenant = room.client.tenant_id if "tenant" in forgotten else scope.tenant_id
            scope = replace(scope, tenant_id=tenant, project_id=room.client.project_id)
        return await get(self, scope, id, **more)

    return careless


def test_probes_without_a_planted_fault_find_nothing(town: Town, crowds: Crowds) -> None:
    for attacker in (FOREIGN, BESIDE, ROLELESS, LEFT_OUT, "revoked key", "expired token", "archived project"):
        tally = probed(town, crowds, attacker, GET_DOCUMENT)
        assert (tally.leaks, tally.unfit) == ([], []), report(tally, 1)


def test_query_that_forgets_the_project_is_found(town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PgDocuments, "latest", forgetful(town))
    assert found(probed(town, crowds, BESIDE, GET_DOCUMENT), "not refused: 200")


def test_query_that_forgets_the_tenant_stands_before_the_second_wall(
    town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PgDocuments, "latest", forgetful(town, tenant=True))
    assert probed(town, crowds, FOREIGN, GET_DOCUMENT).leaks == []
    with open_policies(town):
        assert found(probed(town, crowds, FOREIGN, GET_DOCUMENT), "not refused: 200")


def test_policies_that_ask_for_nothing_leave_the_first_wall(town: Town, crowds: Crowds) -> None:
    with open_policies(town):
        assert probed(town, crowds, FOREIGN, GET_DOCUMENT).leaks == []


LISTING = (
    ("GET", "/api/v1/documents"),
    ("GET", "/api/v1/ingestions/{ingestion_id}/documents"),
    ("POST", "/api/v1/search"),
    ("GET", DOCUMENT + "/why"),
    ("GET", DOCUMENT + "/content"),
    ("PATCH", DOCUMENT),
)


def test_access_lists_that_nobody_looks_at_are_found(town: Town, crowds: Crowds) -> None:
    """Each route by itself: what one hides is no matter to another."""
    assert probed(town, crowds, LEFT_OUT, *LISTING, times=1).leaks == []
    with open_policies(town, ["documents"]):
        for route in LISTING:
            tally = probed(town, crowds, LEFT_OUT, route, times=3)
            assert found(tally, "tells " if "{document_id}" not in route[1] else "not refused: 200"), route


def test_forged_messages_and_events_come_to_nothing(town: Town) -> None:
    forged = Forger(town).run()
    assert not forged.faults, "\n".join(forged.faults[:10])
    functions = set(map(str, Queue))
    assert (set(forged.tried), set(+forged.worked)) == (functions, functions), "each is forged, and works unforged"


def test_file_read_for_another_document_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of files has no database to ask whose they are."""
    monkeypatch.setattr(extract, "_of_its_document", lambda message: True)
    assert any("a text was written" in fault for fault in Forger(town).upload().faults)


def test_message_that_is_believed_about_its_project_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_with = PgDocuments.lock_with

    async def careless(self: PgDocuments, scope: Scope, id: UUID, number: int) -> Any:
        project_id = await self.project_of(scope, id) or scope.project_id
        return await lock_with(self, replace(scope, project_id=project_id), id, number)

    monkeypatch.setattr(PgDocuments, "lock_with", careless)
    assert any("something changed" in fault for fault in Forger(town).upload().faults)


def test_dependency_taken_from_a_route_is_found(town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch) -> None:
    """The route works for whoever asks, in whatever room the document is."""
    rooms = everybodys(town)

    async def anybody(request: Any) -> Any:
        room = rooms[UUID(request.path_params["document_id"])]
        async with transaction(town.world.scope(room.client)) as ports:
            yield auth.Call(town.world.scope(room.client), ports)

    (route,) = [one for one in documents_app.router.routes if isinstance(one, APIRoute) and one.name == "get_document"]
    assert ("GET", DOCUMENT) in routes_of(documents_app.router)
    (needed,) = [one for one in route.dependant.dependencies if one.call is auth.call]
    monkeypatch.setattr(needed, "call", anybody)
    for attacker in ("no credential", "member of nothing", FOREIGN, BESIDE, "revoked key", "disabled user"):
        assert found(probed(town, crowds, attacker, GET_DOCUMENT), "not refused: 200"), attacker


def test_permission_that_nobody_asks_for_is_found(town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of routes is not looked at; what a use case asks for itself still stands."""
    monkeypatch.setattr(auth, "_authorise", lambda request, scope: None)
    tally = probed(town, crowds, ROLELESS, times=1)
    assert found(tally, "not refused: 200"), report(tally, 1)


def test_keys_that_are_never_too_old_are_found(town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Credential, "valid", lambda self, now: True)
    for attacker in ("revoked key", "expired token", "disabled user"):
        assert found(probed(town, crowds, attacker, GET_DOCUMENT), "not refused: 200"), attacker


def test_tokens_that_are_never_too_old_are_found(town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = town.world.tokens
    read = tokens.read
    monkeypatch.setattr(tokens, "read", lambda token, now: read(token, now) or read(token, now - ACCESS_LIFE / 2))
    assert found(probed(town, crowds, "expired token", GET_DOCUMENT), "not refused: 200")


def test_archive_that_is_open_is_found(town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken_out(method: Callable[..., Any]) -> Callable[..., Any]:
        async def called(*args: Any, **options: Any) -> Any:
            answer = await method(*args, **options)
            return answer and replace(answer, archived_at=None)

        return called

    monkeypatch.setattr(PgKeys, "authenticate", taken_out(PgKeys.authenticate))
    monkeypatch.setattr(PgSessions, "access", taken_out(PgSessions.access))
    assert found(probed(town, crowds, "archived project", GET_DOCUMENT), "not refused: 200")


def test_refusal_that_tells_what_there_is_is_found(town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch) -> None:
    get, rooms = PgDocuments.latest, everybodys(town)

    async def telling(self: PgDocuments, scope: Scope, id: UUID, **more: Any) -> Any:
        answer = await get(self, scope, id, **more)
        if answer is None and id in rooms:
            raise Forbidden("this document is not yours")
        return answer

    monkeypatch.setattr(PgDocuments, "latest", telling)
    assert found(probed(town, crowds, FOREIGN, GET_DOCUMENT), "told from an id that nobody has")


def test_refusal_that_names_what_is_not_theirs_is_found(
    town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, rooms = PgDocuments.latest, everybodys(town)

    async def telling(self: PgDocuments, scope: Scope, id: UUID, **more: Any) -> Any:
        answer = await get(self, scope, id, **more)
        if answer is None and id in rooms:
            raise Forbidden(f"this document is in the collection {rooms[id].names['collection_id']}")
        return answer

    monkeypatch.setattr(PgDocuments, "latest", telling)
    assert found(probed(town, crowds, FOREIGN, GET_DOCUMENT), "tells ")


def test_refusal_that_changes_something_is_found(town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch) -> None:
    get, rooms = PgDocuments.latest, everybodys(town)
    before = town.houses[HOUSES[0]].rooms[DEFAULT].client.get(f"/documents/{next(iter(rooms))}")

    async def meddling(self: PgDocuments, scope: Scope, id: UUID, **more: Any) -> Any:
        answer = await get(self, scope, id, **more)
        if answer is None and id in rooms:
            town.witness.execute(f"UPDATE documents SET title = title || '!' WHERE id = '{id}'")
        return answer

    monkeypatch.setattr(PgDocuments, "latest", meddling)
    wanted = [one for one in cells() if one.attacker.name == FOREIGN and one.operation.route == GET_DOCUMENT]
    with redirect_stdout(Nowhere()):
        tally = Campaign(town, crowds, 1).run(len(wanted) * 4, wanted)
    town.witness.execute("UPDATE documents SET title = replace(title, '!', '')")
    town.witness.remember()
    assert before.status == 200
    assert found(tally, "documents changed")
    assert tally.changes


def test_request_that_fails_for_its_owner_too_is_found(
    town: Town, crowds: Crowds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An identity pinned to something else makes every probe pass and proves nothing."""

    async def nothing(self: PgDocuments, scope: Scope, id: UUID, **more: Any) -> Any:
        return None

    monkeypatch.setattr(PgDocuments, "latest", nothing)
    tally = probed(town, crowds, FOREIGN, GET_DOCUMENT)
    assert tally.leaks == []
    assert tally.unfit
