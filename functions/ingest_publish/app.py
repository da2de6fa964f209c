"""Make a finished generation the one that is searched."""

from shared.domain.events import GenerationMessage, Queue
from shared.domain.tenants import system_scope
from shared.runtime.transactions import transaction
from shared.runtime.worker import sqs_function
from shared.usecases.ingest.publish import publish


async def handle(message: GenerationMessage) -> None:
    """Publish one generation, whole or not at all."""
    scope = system_scope(message.tenant_id, message.project_id, Queue.INGEST_PUBLISH)
    async with transaction(scope) as ports:
        await publish(scope, ports, message)


handler = sqs_function(GenerationMessage, handle)
