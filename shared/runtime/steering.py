"""The worker of run-wide actions: see shared/usecases/ingestions/steer.py."""

from shared.domain.events import IngestionMessage
from shared.domain.tenants import Permission, Principal, PrincipalKind, Scope
from shared.runtime.logging import bound
from shared.runtime.transactions import transaction
from shared.usecases.ingestions.steer import go_on, pending, steer

PRINCIPAL = Principal(PrincipalKind.SYSTEM, "steer_ingestion")
PERMISSIONS = frozenset({Permission.DOCUMENTS_PROCESS, Permission.DOCUMENTS_READ, Permission.DOCUMENTS_WRITE})


async def steer_documents(message: IngestionMessage) -> None:
    """Work off one message: some documents, each committed by itself, then the message for the rest.

    Breaking off in the middle loses nothing: the message comes again, and what is done already is passed over.
    """
    scope = Scope(message.tenant_id, PRINCIPAL, PERMISSIONS, message.project_id)
    with bound(tenant_id=message.tenant_id, ingestion_id=message.ingestion_id):
        async with transaction(scope) as ports:
            found = list(await pending(scope, ports, message))
        for one in found:
            async with transaction(scope) as ports:
                await steer(scope, ports, message, one)
        async with transaction(scope) as ports:
            await go_on(scope, ports, message, found)
