"""What health asks: one probe for each thing this deployment depends on."""

from collections.abc import Sequence

from shared import bootstrap
from shared.domain.backlog import Backlog
from shared.domain.errors import Unavailable
from shared.ports.queue import QueueDepth
from shared.runtime.auth import Caller
from shared.usecases.health.check import Health, check
from shared.usecases.ingest.waiting import waiting as waiting_in


async def health() -> Health:
    """Ask every part at once."""
    depths: list[QueueDepth] = []

    async def queues() -> str:
        depths.extend(await bootstrap.powers().queue.depths())
        dead = sum(depth.waiting for depth in depths if depth.dead)
        if dead:
            raise Unavailable(f"{dead} messages in dead-letter queues")
        return f"{sum(depth.waiting for depth in depths)} messages waiting"

    clock = bootstrap.powers().clock
    # The database's two probes share the process's one connection, so they take turns; the others run beside them.
    parts = await check(clock, {"database": _database, "object_store": _objects, "queues": queues, "models": _models})
    parts += await check(clock, {"migrations": _migrations, "vector_store": _vectors})
    return Health(parts, tuple(depths))


async def waiting(caller: Caller) -> tuple[Backlog, Sequence[QueueDepth], str]:
    """What waits in the caller's project, what is in the queues, and why that is unknown if it is."""
    async with caller.transaction() as ports:
        backlog = await waiting_in(caller.scope, ports)
    try:
        return backlog, await caller.powers.queue.depths(), ""
    except Unavailable as error:
        # What the database knows is worth showing all the same.
        return backlog, (), error.detail


async def _database() -> str:
    async with bootstrap.transaction(None) as ports:
        await ports.tenants.ids()
    return "answers"


async def _migrations() -> str:
    async with bootstrap.transaction(None) as ports:
        current = await ports.tenants.revision()
    head = bootstrap.kit().revision
    if current != head:
        raise Unavailable(f"the database is at {current or 'no version'}, this code needs {head}: run migrate_database")
    return f"at {current}"


async def _vectors() -> str:
    async with bootstrap.transaction(None) as ports:
        await ports.vectors.ping()
    return bootstrap.kit().settings.vector_store


async def _objects() -> str:
    await bootstrap.powers().blobs.ping()
    return "both buckets answer"


async def _models() -> str:
    powers = bootstrap.powers()
    return f"embeds with {powers.embedder.model.name}, answers with {powers.llm.name}"
