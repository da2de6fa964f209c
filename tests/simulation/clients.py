"""People and programs that use a deployment, each doing a few things in its own order."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared import bootstrap
from shared.domain.errors import Forbidden, LambentError, Refused, Unavailable
from shared.domain.search import SearchMode, SearchQuery
from shared.domain.tenants import KEY_PERMISSIONS, Principal, PrincipalKind, Scope
from shared.ports.ports import Ports
from shared.runtime.transactions import transaction
from shared.usecases.documents.upload import UploadSlot
from shared.usecases.search.retrieve import embed_question, retrieve
from tests.simulation import contents
from tests.simulation.authors import author
from tests.simulation.model import Upload
from tests.simulation.owners import changer, deleter, reindexer
from tests.simulation.processes import PROCESS, Crashed
from tests.simulation.senders import sender

if TYPE_CHECKING:
    from tests.simulation.history import History

TRIES = 12


class Tenant:
    """A tenant with one project, as its key sees it."""

    def __init__(self, tenant_id: UUID, project_id: UUID, collections: list[UUID]) -> None:
        principal = Principal(PrincipalKind.API_KEY, "simulation")
        self.scope = Scope(tenant_id, principal, KEY_PERMISSIONS, project_id)
        self.collections = collections


class Clients:
    """Everybody who uses the deployment of one history."""

    def __init__(self, history: "History", tenants: list[Tenant]) -> None:
        self.history = history
        self.tenants = tenants
        self.chance = history.chance
        self.running = 0
        self._tasks: list[asyncio.Task[Any]] = []

    def begin(self) -> None:
        """Draw who does what, and let them start."""
        chance = self.chance
        for _ in range(chance.choice((1, 1, 2, 2, 3))):
            self._start(author(self, chance.choice(self.tenants)))
        for _ in range(chance.choice((0, 1, 2))):
            self._start(self._reader(chance.choice(self.tenants)))
        for share, act in ((0.25, sender), (0.05, changer), (0.08, deleter), (0.1, reindexer)):
            if act.__name__ in self.history.cast or chance.random() < share:
                self._start(act(self, chance.choice(self.tenants)))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self.running += 1

        async def whole() -> None:
            await work
            self.running -= 1

        self._tasks.append(self.history.loop.task(whole(), copy_context()))

    async def _reader(self, tenant: Tenant) -> None:
        """Searches now and then, and looks closely at what comes back."""
        for _ in range(self.chance.choice((2, 4))):
            await self.wait(self.chance.uniform(1, 300))
            await self.search(tenant, self.chance.choice(tenant.collections))

    async def search(self, tenant: Tenant, collection: UUID) -> dict[UUID, set[str]] | None:
        """Everything of a collection that is found, by document; None when there was no answer."""
        history = self.history
        gone = set(history.model.deleted)
        if collection in history.model.rooms_deleted:
            gone |= {one.id for one in history.watch.sight.documents() if one.collection_id == collection}
        mode = self.chance.choice((SearchMode.VECTOR, SearchMode.VECTOR, SearchMode.HYBRID))
        query = SearchQuery(self.chance.choice(contents.PARAGRAPHS), (collection,), limit=100, mode=mode)

        async def asking() -> Any:
            question = await embed_question(bootstrap.powers(), query)
            async with transaction(tenant.scope) as ports:
                return await retrieve(tenant.scope, ports, question)

        try:
            found = await self.within("search", asking)
        except LambentError:
            return None
        if found is None:
            return None
        hits: dict[UUID, set[str]] = {}
        versions: dict[UUID, set[int]] = {}
        for hit in found.hits:
            id = hit.source.chunk.id
            hits.setdefault(id.document_id, set()).add(hit.source.chunk.text)
            versions.setdefault(id.document_id, set()).add(id.generation)
        history.judge_hits(tenant.scope.tenant_id, gone, hits, versions)
        return hits

    # How they do it.

    async def send(self, slot: UploadSlot) -> None:
        """Post a file with a form; the object store takes it or says no."""
        history = self.history
        before = self.history.model.of(slot.document.id)
        again = bool(before) and self.chance.random() < 0.25
        body = self.chance.choice(before).body if again else contents.drawn(self.chance)
        await self.history.gate.sleep(self.chance.uniform(0.01, 0.5))
        try:
            created = history.blobs.submit(slot.form.fields if slot.form else {}, body)
        except Forbidden:
            return
        history.model.last = history.loop.time()
        history.model.uploads[created.version_id] = Upload(
            slot.document.id, slot.generation, created.version_id, body, history.loop.time()
        )

    async def asked[Answer](self, tenant: Tenant, ask: Callable[[Ports], Awaitable[Answer]]) -> Answer | None:
        """One request, repeated until it is answered; None when it is refused."""

        async def request() -> Answer:
            async with transaction(tenant.scope) as ports:
                return await ask(ports)

        for attempt in range(TRIES):
            try:
                self.history.model.last = self.history.loop.time()
                answer = await self.within("documents", request)
            except Refused:
                return None
            except Unavailable:
                answer = None
            if answer is not None:
                return answer
            await self.wait(0.5 * 2**attempt)
        raise AssertionError("the API was never there")

    async def within[Answer](self, function: str, work: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Do something as a process of its own; None when it crashed."""
        process = self.history.cloud.process(function)
        context = copy_context()
        context.run(PROCESS.set, process)
        try:
            answer: Answer = await self.history.loop.task(_coroutine(work), context)
            return answer
        except Crashed:
            return None

    async def wait(self, seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds * self.chance.random())


async def _coroutine[Answer](work: Callable[[], Awaitable[Answer]]) -> Answer:
    return await work()
