"""Programs that send documents in runs, and want to be told when a run is through."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING
from uuid import UUID

from shared.domain.ingestions import Ingestion
from shared.usecases.documents import upload
from shared.usecases.ingestions import manage
from shared.usecases.webhooks import manage as webhooks
from tests.simulation.authors import MAX_BYTES, new_upload
from tests.simulation.contents import NAME

if TYPE_CHECKING:
    from tests.simulation.clients import Clients, Tenant

PATHS = ("", "", "a.txt")
ENDPOINT = "https://receiver.example.com/runs"


async def sender(clients: "Clients", tenant: "Tenant") -> None:
    """Sends some documents as a run, closes it, perhaps cancels it, perhaps has what failed in it taken up again."""
    chance = clients.chance
    collection = chance.choice(tenant.collections)
    await clients.wait(chance.choice((0, 30)))
    named = await _endpoint(clients, tenant) if chance.random() < 0.8 else None
    count = chance.choice((1, 1, 2, 3))
    expected = count if chance.random() < 0.5 else None
    run = await clients.asked(
        tenant,
        lambda ports: manage.create(
            tenant.scope, ports, name="a run", collection_id=collection, expected=expected, webhook_id=named
        ),
    )
    if run is None:
        return
    for _ in range(count):
        slot = await clients.asked(
            tenant,
            lambda ports: upload.upload(
                tenant.scope, ports, new_upload(collection, chance.choice(PATHS), run.id), max_bytes=MAX_BYTES
            ),
        )
        if slot is not None and slot.form is not None and chance.random() < 0.95:
            await clients.send(slot)
        await clients.wait(chance.choice((0, 0, 5, 60)))
    await _steered(clients, tenant, run)


async def _endpoint(clients: "Clients", tenant: "Tenant") -> UUID | None:
    made = await clients.asked(
        tenant,
        lambda ports: webhooks.create(
            tenant.scope, ports, url=ENDPOINT, description=NAME, all_runs=clients.chance.random() < 0.5
        ),
    )
    return made.webhook.id if made else None


async def _steered(clients: "Clients", tenant: "Tenant", run: Ingestion) -> None:
    chance = clients.chance
    if run.expected is None or chance.random() < 0.3:
        await clients.asked(tenant, lambda ports: _done(manage.close(tenant.scope, ports, run.id)))
    await clients.wait(chance.choice((0, 20, 200)))
    for _ in range(chance.choice((0, 0, 1, 2))):
        if chance.random() < 0.5:
            clients.history.model.runs_cancelled.add(run.id)
            await clients.asked(tenant, lambda ports: _done(manage.cancel(tenant.scope, ports, run.id)))
        else:
            await clients.asked(tenant, lambda ports: _done(manage.retry_failed(tenant.scope, ports, run.id)))
        await clients.wait(chance.choice((0, 20, 200)))


async def _done(work: Coroutine[None, None, None]) -> bool:
    await work
    return True
