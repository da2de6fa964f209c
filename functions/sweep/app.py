"""Nothing stays stuck, nothing stays behind: on a schedule, and at once for a document that was just deleted."""

from shared.domain.events import SweepMessage
from shared.domain.tenants import system_scope
from shared.runtime.sweeping import sweep_everything
from shared.runtime.transactions import transaction
from shared.runtime.worker import either, schedule_function, sqs_function
from shared.usecases.ingest.sweep import sweep_document


async def handle(message: SweepMessage) -> None:
    """Sweep one document."""
    scope = system_scope(message.tenant_id, message.project_id, "sweep")
    async with transaction(scope) as ports:
        await sweep_document(scope, ports, message.document_id)


handler = either(sqs_function(SweepMessage, handle), schedule_function(sweep_everything))
