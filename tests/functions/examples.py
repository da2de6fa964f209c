"""The things that the events in events/ speak of, put into a world."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from shared import bootstrap
from shared.domain.chats import Chat
from shared.domain.chunks import Chunking
from shared.domain.collections import Collection
from shared.domain.documents import Document, Generation, GenerationState, Source, advance, status_of, upload_key
from shared.domain.ingestion import PATIENCE
from shared.domain.ingestions import Ingestion
from shared.domain.tenants import KEY_PERMISSIONS, Credential, Principal, PrincipalKind, Project, Scope
from shared.domain.webhooks import Delivery, Webhook
from shared.runtime.invocation import run
from shared.usecases.documents.upload import recipe_of
from shared.usecases.projects.bootstrap import founding_scope, key_hash
from tests.functions.gateway import example
from tests.functions.world import Client, World

KEY = example("chats", "list")["headers"]["Authorization"].removeprefix("Bearer ")
TENANT = UUID("0193a1c0-7d5e-7c11-9a3b-2f4c6e8a0b11")
PROJECT = UUID("0193a1c0-7d60-7a52-8c1d-5b7e9f1a3c22")
COLLECTION = UUID("0193a1c4-10a8-7e33-b2c4-6d8f0a2b4d33")
DOCUMENT = UUID("0193a1c8-5f3c-7b44-93d5-7e9a1b3c5e44")
INGESTION = UUID("0193a1d8-3c20-7a66-9b17-40c1d2e3f466")
WEBHOOK = UUID("0193a1e0-5b10-7f77-8a21-91d3c5e7f377")
DELIVERY = UUID("0193a1e4-6c20-7a88-9b32-a2e4d6f8a488")
CHAT = UUID("0193a1d0-aa10-7d55-84e6-8fab2c4d6f55")
VERSION = "Zy1kGqjLr0nB2vX4cT6wH8mP0sD1fA3e"


def seed(world: World, state: GenerationState = GenerationState.AWAITING_UPLOAD) -> Client:
    """A tenant with the key, collection, document and chat of the examples; the document is in `state`."""
    client = Client(world, KEY, TENANT, PROJECT)
    now = world.clock.now()
    collection = Collection(COLLECTION, TENANT, PROJECT, "Handbook", world.embedder.model, Chunking(), now)
    key = Credential(world.ids.new(), TENANT, PROJECT, "example", KEY_PERMISSIONS, None, None)
    scope = Scope(TENANT, founding_scope(TENANT).principal, KEY_PERMISSIONS, PROJECT)
    chat = Chat(CHAT, TENANT, PROJECT, (COLLECTION,), "", f"api_key:{key.id}", now, now)
    # A chat is seen by who made it: the key.
    asker = replace(scope, principal=Principal(PrincipalKind.API_KEY, str(key.id)))

    async def add() -> None:
        async with bootstrap.transaction(scope) as ports:
            await ports.tenants.ensure(TENANT, "Example", now)
            await ports.projects.add(scope, Project(PROJECT, TENANT, "default", now))
            await ports.keys.add(scope, key, key_hash(KEY), now)
            await ports.collections.add(scope, collection)
            await ports.documents.add(scope, *document_in(collection, state))
            await ports.chats.add(asker, chat)
            await ports.ingestions.add(scope, Ingestion(INGESTION, TENANT, PROJECT, COLLECTION, "July", "example", now))
            url = "https://hooks.example.com/lambent"
            await ports.webhooks.add(scope, Webhook(WEBHOOK, TENANT, PROJECT, url, "", True, "example", now))
            sent = Delivery(DELIVERY, TENANT, PROJECT, WEBHOOK, INGESTION, "ingestion.completed", "{}", now, due_at=now)
            await ports.webhooks.add_delivery(scope, sent)

    run(add())
    return client


def document_in(collection: Collection, state: GenerationState) -> tuple[Document, Generation]:
    """The example document and its first generation."""
    now = collection.created_at
    document = Document(DOCUMENT, TENANT, PROJECT, COLLECTION, "Urlaub & Reisen 2026.pdf", now, now)
    waiting = GenerationState.AWAITING_UPLOAD
    source = Source(upload_key(TENANT, DOCUMENT, 1), "" if state is waiting else VERSION, "", 48213)
    generation = Generation(TENANT, PROJECT, DOCUMENT, 1, waiting, source, recipe_of(collection), now, now, None)
    generation = advance(generation, state, now, due=PATIENCE.get(state))
    return replace(document, status=status_of(document, generation)), generation


def outcome(answer: Mapping[str, list[dict[str, str]]]) -> int:
    """How many records of a batch failed."""
    return len(answer["batchItemFailures"])
