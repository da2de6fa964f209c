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
from shared.usecases.collections import manage
from shared.usecases.deletion import request
from shared.usecases.documents import delete, process, upload
from shared.usecases.search.retrieve import embed_question, retrieve
from tests.simulation import contents
from tests.simulation.model import Upload
from tests.simulation.processes import PROCESS, Crashed

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
        for _ in range(self.chance.choice((1, 1, 2, 2, 3))):
            self._start(self._author(self.chance.choice(self.tenants)))
        for _ in range(self.chance.choice((0, 1, 2))):
            self._start(self._reader(self.chance.choice(self.tenants)))
        if self.chance.random() < 0.12:
            self._start(self._owner(self.chance.choice(self.tenants)))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self.running += 1

        async def whole() -> None:
            await work
            self.running -= 1

        self._tasks.append(self.history.loop.task(whole(), copy_context()))

    # What they do.

    async def _author(self, tenant: Tenant) -> None:
        """Uploads a document and changes their mind."""
        chance, history = self.chance, self.history
        collection = chance.choice(tenant.collections)
        await self._wait(chance.choice((0, 0, 30, 200)))
        path = chance.choice(("", "a.txt", "b.txt"))
        slot = await self._asked(
            tenant, lambda ports: upload.upload(tenant.scope, ports, _new(collection, path), max_bytes=10_000)
        )
        if slot is None:
            return
        document = slot.document.id
        forms = [slot]
        if chance.random() < 0.06:
            return
        await self._send(slot)
        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            await self._wait(chance.choice((0, 0, 2, 20, 60, 240)))
            act = chance.random()
            if act < 0.45:
                fresh = await self._asked(
                    tenant,
                    lambda ports: upload.upload_version(
                        tenant.scope, ports, document, content_hash="", media_type="", max_bytes=10_000
                    ),
                )
                if fresh is not None and fresh.form is not None:
                    forms.append(fresh)
                    await self._wait(chance.choice((0, 0, 10)))
                    await self._send(fresh)
            elif act < 0.6:
                await self._send(chance.choice(forms))
            elif act < 0.72:
                await self._asked(tenant, lambda ports: process.process(tenant.scope, ports, document))
            elif document not in history.model.deleted:
                await self._delete(tenant, document)

    async def _delete(self, tenant: Tenant, document: UUID) -> None:
        receipt = await self._asked(tenant, lambda ports: delete.delete(tenant.scope, ports, document))
        if receipt is not None:
            self.history.model.deleted[document] = self.history.loop.time()

    async def _reader(self, tenant: Tenant) -> None:
        """Searches now and then, and looks closely at what comes back."""
        for _ in range(self.chance.choice((2, 4))):
            await self._wait(self.chance.uniform(1, 300))
            await self.search(tenant, self.chance.choice(tenant.collections))

    async def _owner(self, tenant: Tenant) -> None:
        """Deletes a collection, or changes how it is cut and has it indexed anew."""
        await self._wait(self.chance.uniform(20, 400))
        collection = self.chance.choice(tenant.collections)
        if self.chance.random() < 0.5:
            asked = await self._asked(tenant, lambda ports: request.delete_collection(tenant.scope, ports, collection))
            if asked is not None:
                self.history.model.collections_deleted[collection] = self.history.loop.time()
            return
        chunking = self.chance.choice(contents.CHUNKINGS)
        await self._asked(tenant, lambda ports: manage.change(tenant.scope, ports, collection, chunking=chunking))
        await self._wait(self.chance.uniform(1, 200))
        self.history.cloud.tick("reindex")

    async def search(self, tenant: Tenant, collection: UUID) -> dict[UUID, set[str]] | None:
        """Everything of a collection that is found, by document; None when there was no answer."""
        history = self.history
        gone = set(history.model.deleted)
        if collection in history.model.collections_deleted:
            gone |= {one.id for one in history.watch.sight.documents() if one.collection_id == collection}
        mode = self.chance.choice((SearchMode.VECTOR, SearchMode.VECTOR, SearchMode.HYBRID))
        query = SearchQuery(self.chance.choice(contents.PARAGRAPHS), (collection,), limit=100, mode=mode)

        async def asking() -> Any:
            question = await embed_question(bootstrap.powers(), query)
            async with transaction(tenant.scope) as ports:
                return await retrieve(tenant.scope, ports, question)

        try:
            found = await self._within("search", asking)
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

    async def _send(self, slot: Any) -> None:
        """Post a file with a form; the object store takes it or says no."""
        history = self.history
        before = self.history.model.of(slot.document.id)
        again = bool(before) and self.chance.random() < 0.25
        body = self.chance.choice(before).body if again else contents.drawn(self.chance)
        await self.history.gate.sleep(self.chance.uniform(0.01, 0.5))
        try:
            created = history.blobs.submit(slot.form.fields, body)
        except Forbidden:
            return
        history.model.last = history.loop.time()
        history.model.uploads[created.version_id] = Upload(
            slot.document.id, slot.generation, created.version_id, body, history.loop.time()
        )

    async def _asked[Answer](self, tenant: Tenant, ask: Callable[[Ports], Awaitable[Answer]]) -> Answer | None:
        """One request, repeated until it is answered; None when it is refused."""

        async def request() -> Answer:
            async with transaction(tenant.scope) as ports:
                return await ask(ports)

        for attempt in range(TRIES):
            try:
                self.history.model.last = self.history.loop.time()
                answer = await self._within("documents", request)
            except Refused:
                return None
            except Unavailable:
                answer = None
            if answer is not None:
                return answer
            await self._wait(0.5 * 2**attempt)
        raise AssertionError("the API was never there")

    async def _within[Answer](self, function: str, work: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Do something as a process of its own; None when it crashed."""
        process = self.history.cloud.process(function)
        context = copy_context()
        context.run(PROCESS.set, process)
        try:
            answer: Answer = await self.history.loop.task(_coroutine(work), context)
            return answer
        except Crashed:
            return None

    async def _wait(self, seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds * self.chance.random())


async def _coroutine[Answer](work: Callable[[], Awaitable[Answer]]) -> Answer:
    return await work()


def _new(collection: UUID, path: str) -> upload.NewUpload:
    return upload.NewUpload(collection, contents.NAME, path=path)
