"""Make a finished generation the one that is searched."""

from shared.domain.events import GenerationMessage, Queue
from shared.domain.tenants import system_scope
from shared.runtime.stage import step_function
from shared.runtime.transactions import transaction
from shared.usecases.ingest.publish import publish


async def handle(message: GenerationMessage) -> bool:
    """Publish one generation, whole or not at all."""
    scope = system_scope(message.tenant_id, message.project_id, Queue.INGEST_PUBLISH)
    async with transaction(scope) as ports:
        return await publish(scope, ports, message)


handler = step_function(GenerationMessage, handle)
