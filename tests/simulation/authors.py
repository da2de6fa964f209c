"""People who upload documents and change their minds."""

from typing import TYPE_CHECKING
from uuid import UUID

from shared.usecases.documents import delete, process, retry, upload
from tests.simulation import contents

if TYPE_CHECKING:
    from tests.simulation.clients import Clients, Tenant

MAX_BYTES = 10_000


async def author(clients: "Clients", tenant: "Tenant") -> None:
    """Uploads a document, and then new versions of it, or old forms again; has it processed, retries it, deletes it."""
    chance = clients.chance
    collection = chance.choice(tenant.collections)
    await clients.wait(chance.choice((0, 0, 30, 200)))
    new = new_upload(collection, chance.choice(("", "a.txt", "b.txt")))
    slot = await clients.asked(tenant, lambda ports: upload.upload(tenant.scope, ports, new, max_bytes=MAX_BYTES))
    if slot is None:
        return
    document, forms = slot.document.id, [slot]
    if chance.random() < 0.06:
        return
    await clients.send(slot)
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        await clients.wait(chance.choice((0, 0, 2, 20, 60, 240)))
        act = chance.random()
        if act < 0.42:
            fresh = await clients.asked(
                tenant,
                lambda ports: upload.upload_version(
                    tenant.scope, ports, document, content_hash="", media_type="", max_bytes=MAX_BYTES
                ),
            )
            if fresh is not None and fresh.form is not None:
                forms.append(fresh)
                await clients.wait(chance.choice((0, 0, 10)))
                await clients.send(fresh)
        elif act < 0.55:
            await clients.send(chance.choice(forms))
        elif act < 0.65:
            await clients.asked(tenant, lambda ports: process.process(tenant.scope, ports, document))
        elif act < 0.75:
            await clients.asked(tenant, lambda ports: retry.retry(tenant.scope, ports, document))
        elif document not in clients.history.model.deleted:
            await removed(clients, tenant, document)


async def removed(clients: "Clients", tenant: "Tenant", document: UUID) -> None:
    """Delete a document, and know that it is gone once that is answered."""
    receipt = await clients.asked(tenant, lambda ports: delete.delete(tenant.scope, ports, document))
    if receipt is not None:
        clients.history.model.deleted[document] = clients.history.loop.time()


def new_upload(collection: UUID, path: str = "", run: UUID | None = None) -> upload.NewUpload:
    """A file that is about to be sent."""
    return upload.NewUpload(collection, contents.NAME, path=path, ingestion_id=run)
