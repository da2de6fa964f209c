"""A whole deployment in memory: every function behind its handler, and the platform between them."""

import importlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from shared import bootstrap
from shared.adapters.jose.tokens import JoseTokens
from shared.adapters.memory.analyser import MemoryAnalyser
from shared.adapters.memory.clock import ManualClock, SequenceIds
from shared.adapters.memory.egress import MemoryEgress
from shared.adapters.memory.issuers import MemoryIssuers
from shared.adapters.memory.mailer import MemoryMailer
from shared.adapters.memory.meter import MemoryMeter
from shared.adapters.memory.passwords import MemoryPasswords
from shared.adapters.memory.queue import MemoryQueue
from shared.adapters.memory.rows import MemoryStore
from shared.adapters.seed.signer import SeedSigner
from shared.domain.documents import Document, Generation
from shared.domain.events import Outgoing, Queue
from shared.domain.openid import Provider
from shared.domain.receipts import DeletionReceipt, Subject, SubjectKind
from shared.domain.tenants import KEY_PERMISSIONS, Credential, Permission, Scope, system_scope
from shared.ports.blobs import Bucket
from shared.ports.documents import DocumentFilter
from shared.runtime.invocation import run
from shared.runtime.routes import area_of
from shared.runtime.transactions import transaction
from shared.usecases.documents.delete import delete
from shared.usecases.projects.bootstrap import KEY_PREFIX, founding_scope, key_hash
from tests.functions.fakes import DoneMigrations, HookedEmbedder, HookedLlm, PlainReader, WatchedBlobs
from tests.functions.gateway import Answer, records, request
from tests.runtime.contexts import FakeContext

STAGES = (
    Queue.INGEST_EXTRACT,
    Queue.INGEST_CHUNK,
    Queue.INGEST_EMBED,
    Queue.INGEST_PUBLISH,
    Queue.SWEEP,
    Queue.STEER_INGESTION,
    Queue.DELIVER_WEBHOOK,
)


def by_bucket(bodies: Sequence[str]) -> dict[Queue, list[str]]:
    """S3 events by the queue that their bucket tells, in their order."""
    told: dict[Queue, list[str]] = {}
    for body in bodies:
        from_work = any(one["s3"]["bucket"]["name"] == Bucket.WORK for one in json.loads(body)["Records"])
        told.setdefault(Queue.INGEST_COLLECT if from_work else Queue.INGEST_RECEIVE, []).append(body)
    return told


@dataclass(frozen=True, slots=True)
class Client:
    """Calls the API of a world with one key."""

    world: "World"
    key: str
    tenant_id: UUID
    project_id: UUID

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; `path` begins below /api/v1."""
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        return self.world.api(method, f"/api/v1{path}", body, query=query, headers=sent)

    def get(self, path: str, **query: str) -> Answer:
        """GET."""
        return self("GET", path, query=query or None)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """POST."""
        return self("POST", path, body, headers=headers)

    def put(self, path: str, body: Any) -> Answer:
        """PUT."""
        return self("PUT", path, body)

    def patch(self, path: str, body: Any) -> Answer:
        """PATCH."""
        return self("PATCH", path, body)

    def delete(self, path: str) -> Answer:
        """DELETE."""
        return self("DELETE", path)

    def collection(self, name: str = "Handbook", **fields: Any) -> str:
        """Make a collection; returns its id."""
        answer = self.post("/collections", {"name": name, **fields})
        assert answer.status == 201, answer.body
        return str(answer.json["id"])

    def ingestion(self, collection_id: str, name: str = "July", **fields: Any) -> str:
        """Open a run; returns its id."""
        answer = self.post("/ingestions", {"name": name, "collection_id": collection_id, **fields})
        assert answer.status == 201, answer.body
        return str(answer.json["id"])

    def slot(self, collection_id: str, name: str = "leave.txt", **fields: Any) -> dict[str, Any]:
        """Announce a file; returns the slot."""
        answer = self.post("/documents", {"collection_id": collection_id, "name": name, **fields})
        assert answer.status == 201, answer.body
        slot: dict[str, Any] = answer.json
        return slot

    def upload(self, collection_id: str, text: str | bytes, name: str = "leave.txt", **fields: Any) -> str:
        """Announce a file and send it; returns the document's id."""
        slot = self.slot(collection_id, name, **fields)
        self.world.send(slot, text)
        return str(slot["document"]["id"])

    def search(self, collection_id: str, query: str, **fields: Any) -> list[dict[str, Any]]:
        """Hits of a search."""
        answer = self.post("/search", {"query": query, "collection_ids": [collection_id], **fields})
        assert answer.status == 200, answer.body
        hits: list[dict[str, Any]] = answer.json["hits"]
        return hits


PASSWORD = "correct horse battery"
COMPANY = Provider(
    "company",
    "https://login.example.com",
    "lambent",
    ("https://app.example.com/signed-in",),
    "The company",
    email_domains=("example.com",),
)
"""Who vouches for people here."""


@dataclass(frozen=True, slots=True)
class Person(Client):
    """Calls the API as a signed-in user: `key` is an access token."""

    email: str
    user_id: UUID
    refresh_token: str


class World:
    """The parts, and what the platform does between them: deliver events, repeat failed ones, let time pass."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ids = SequenceIds(7, self.clock)
        self.blobs = WatchedBlobs(self.clock)
        self.queue = MemoryQueue(self.clock)
        self.meter = MemoryMeter()
        self.embedder = HookedEmbedder()
        self.llm = HookedLlm()
        self.reader = PlainReader()
        self.egress = MemoryEgress()
        self.migrations = DoneMigrations()
        self.signer = SeedSigner("5e" * 32)
        self.tokens = JoseTokens("the secret of this deployment's tokens")
        self.passwords = MemoryPasswords()
        self.issuers = MemoryIssuers({COMPANY.name: COMPANY})
        self.mailer = MemoryMailer()
        self.store = MemoryStore(self.migrations.head(), self.clock.now)

    @contextmanager
    def active(self) -> Iterator[None]:
        """While the block runs, every function works on this world."""
        with bootstrap.override(
            store=self.store,
            blobs=self.blobs,
            queue=self.queue,
            embedder=self.embedder,
            llm=self.llm,
            clock=self.clock,
            ids=self.ids,
            analyser=MemoryAnalyser(),
            reader=self.reader,
            meter=self.meter,
            egress=self.egress,
            webhook_key="the key of this deployment",
            rate_factor=1000.0,
            migrations=self.migrations,
            signer=self.signer,
            tokens=self.tokens,
            passwords=self.passwords,
            issuers=self.issuers,
            mailer=self.mailer,
            revision=self.migrations.head(),
        ):
            yield

    # Calling functions.

    def call(self, function: str, event: dict[str, Any], *, milliseconds: int = 30_000) -> Any:
        """Invoke one function."""
        context = FakeContext(function_name=f"lambent-{function}", remaining=iter([milliseconds] * 10_000))
        return importlib.import_module(f"functions.{function}.app").handler(event, context)

    def api(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request to the function of its area."""
        return Answer.of(self.call(area_of(path), request(method, path, body, query=query, headers=headers)))

    # Who may call.

    def owner(self, tenant: str = "Acme", project: str = "default") -> Client:
        """A new tenant's owner, made the way a deployment makes it."""
        made = self.call("migrate_database", {"action": "bootstrap", "tenant": tenant, "project": project})
        return Client(self, made["api_key"], UUID(made["tenant_id"]), UUID(made["project_id"]))

    def person(self, email: str = "ada@example.com", organisation: str = "Acme") -> "Person":
        """Somebody who registers, confirms and signs in, as anyone would."""
        asked = {"email": email, "password": PASSWORD, "name": "Ada", "organisation": organisation}
        assert self.api("POST", "/api/v1/auth/register", asked).status == 202
        confirmed = self.api("POST", "/api/v1/auth/verify", {"token": self.mailed(email), "password": PASSWORD})
        assert confirmed.status == 201, confirmed.body
        signed = self.api("POST", "/api/v1/auth/login", {"email": email, "password": PASSWORD})
        assert signed.status == 200, signed.body
        org, project = UUID(confirmed.json["org_id"]), UUID(confirmed.json["project_id"])
        user, refresh = UUID(confirmed.json["user_id"]), signed.json["refresh_token"]
        return Person(self, signed.json["access_token"], org, project, email, user, refresh)

    def mailed(self, to: str) -> str:
        """The code in the latest message to an address."""
        (text,) = [mail.text for mail in self.mailer.sent if mail.to == to][-1:]
        (code,) = re.findall(r"^[A-Za-z0-9_-]{43}$", text, re.MULTILINE)
        return str(code)

    def key(
        self,
        of: Client,
        permissions: frozenset[Permission] = KEY_PERMISSIONS,
        *,
        project_id: UUID | None = None,
        whole_tenant: bool = False,
        expires_at: datetime | None = None,
        revoked_at: datetime | None = None,
    ) -> Client:
        """Another key of the client's tenant."""
        secret = KEY_PREFIX + self.ids.secret()
        tied = None if whole_tenant else project_id or of.project_id
        made = Credential(self.ids.new(), of.tenant_id, tied, "extra", permissions, expires_at, revoked_at)

        async def add() -> None:
            scope = founding_scope(of.tenant_id)
            async with bootstrap.transaction(scope) as ports:
                await ports.keys.add(scope, made, key_hash(secret), self.clock.now())

        run(add())
        return replace(of, key=secret, project_id=tied or of.project_id)

    # What the platform does.

    def send(self, slot: Mapping[str, Any], text: str | bytes) -> None:
        """A client sends its file by the form it was given; S3 tells of it."""
        body = text.encode() if isinstance(text, str) else text
        self.blobs.submit(slot["upload"]["fields"], body)

    def notify(self, bodies: Sequence[str] | None = None) -> list[str]:
        """Deliver S3 events to the function of their bucket, by default all that wait; returns what failed."""
        if bodies is None:
            bodies, self.blobs.notifications = self.blobs.notifications, []
        if not bodies:
            return []
        failed = []
        for queue, told in by_bucket(bodies).items():
            event = records(told, queue.value)
            names = {one["itemIdentifier"] for one in self.call(queue.value, event)["batchItemFailures"]}
            failed += [record["body"] for record in event["Records"] if record["messageId"] in names]
        return failed

    def deliver(self, queue: Queue, *, limit: int = 10) -> list[Outgoing]:
        """Hand visible messages of a queue to its function once; returns those that failed, which stay in the queue."""
        handed = self.queue.receive(queue, limit)
        if not handed:
            return []
        event = records([queued.message.body for queued in handed], f"{queue}")
        names = {one["itemIdentifier"] for one in self.call(queue.value, event)["batchItemFailures"]}
        failed = []
        for queued, record in zip(handed, event["Records"], strict=True):
            if record["messageId"] in names:
                self.queue.release(queued)
                failed.append(queued.message)
            else:
                self.queue.done(queued)
        return failed

    def settle(self) -> None:
        """Deliver everything that can be delivered now, until nothing is left but what failed or waits for its time."""
        for _ in range(200):
            before = self.blobs.notifications
            stuck = self.notify()
            busy = bool(before)
            for queue in STAGES:
                busy = (self._visible(queue) and not self.deliver(queue)) or busy
            self.blobs.notifications += stuck
            if not busy:
                return
        raise AssertionError("the world does not come to rest")

    def pass_time(self, seconds: float) -> None:
        """Let time pass and deliver what it brings."""
        self.clock.advance(seconds)
        self.settle()

    def sweep(self) -> None:
        """The schedule calls sweep, and its messages are delivered."""
        self.sweep_without_settling()
        self.settle()

    def minutes(self, count: int, *, settling: bool = True) -> None:
        """So many minutes pass, and the schedule comes in each; with `settling`, what is queued is worked off."""
        for _ in range(count):
            self.clock.advance(60)
            self.sweep_without_settling()
            if settling:
                self.settle()

    def sweep_without_settling(self) -> None:
        """The schedule calls sweep; what it queues stays in the queues."""
        assert self.call("sweep", {"source": "aws.scheduler"}) is None

    def reject_dead(self, queue: Queue) -> None:
        """Deliver the dead letters of a queue to ingest_reject."""
        bodies = [message.body for message in self.queue.dead(queue)]
        answer = self.call("ingest_reject", records(bodies, f"{queue}_dead", receives=6))
        assert answer == {"batchItemFailures": []}

    def waiting(self, queue: Queue) -> list[dict[str, Any]]:
        """Bodies of the messages in a queue."""
        return [json.loads(message.body) for message in self.queue.waiting(queue)]

    def _visible(self, queue: Queue) -> bool:
        depths = {depth.name: depth.waiting for depth in run(self.queue.depths())}
        return bool(depths[queue.value])

    # Looking inside.

    def scope(self, of: Client) -> Scope:
        """What the system's own functions may do in the client's project."""
        return system_scope(of.tenant_id, of.project_id, "test")

    def document(self, of: Client, document_id: str) -> Document:
        """The row."""

        async def get() -> Document | None:
            async with bootstrap.transaction(self.scope(of)) as ports:
                return await ports.documents.get(self.scope(of), UUID(document_id))

        found = run(get())
        assert found is not None
        return found

    def generation(self, of: Client, document_id: str, number: int = 1) -> Generation:
        """One generation's row."""
        return run(self.generation_now(of, document_id, number))

    async def generation_now(self, of: Client, document_id: str, number: int = 1) -> Generation:
        """The same, for use inside a running function."""
        async with bootstrap.transaction(self.scope(of)) as ports:
            found = await ports.documents.generation(self.scope(of), UUID(document_id), number)
        assert found is not None
        return found

    async def delete_now(self, of: Client, document_id: str) -> None:
        """Delete a document, for use inside a running function."""
        scope = self.scope(of)
        async with transaction(scope) as ports:
            await delete(scope, ports, UUID(document_id))

    def everything(self, of: Client) -> dict[str, Any]:
        """What the stores hold: the client's documents, generations, chunks, vectors and receipts, and every object."""

        async def rows() -> dict[str, Any]:
            scope, found = self.scope(of), {}
            async with bootstrap.transaction(scope) as ports:
                for kept in await ports.collections.list(scope, None, 200):
                    for document in await ports.documents.list(scope, DocumentFilter(kept.id), None, 10_000):
                        generations = await ports.documents.generations(scope, document.id)
                        chunks = [await ports.chunks.list(scope, document.id, one.number) for one in generations]
                        vectors = await ports.vectors.ids(scope, kept, document.id)
                        found[str(document.id)] = [document, generations, chunks, sorted(map(str, vectors))]
            return found

        blobs = {bucket.value: self.blobs.contents(bucket) for bucket in Bucket}
        return {**run(rows()), **blobs}

    def receipt(self, of: Client, kind: SubjectKind, id: str) -> DeletionReceipt:
        """The receipt of a deleted collection, project or tenant, or of a document of any project."""

        async def get() -> DeletionReceipt | None:
            async with bootstrap.transaction(self.scope(of)) as ports:
                return await ports.receipts.of(self.scope(of), Subject(kind, UUID(id)))

        found = run(get())
        assert found is not None
        return found

    def finish_deleting(self) -> None:
        """Let time pass until larger deletes have come to their end."""
        for _ in range(40):
            self.pass_time(30)

    def measured(self, name: str) -> list[float]:
        """Values of a metric, over all invocations."""
        return [one.value for one in self.meter.written if one.name == name]
