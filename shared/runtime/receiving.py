"""S3 events of one tenant, handled in one transaction, whichever door they come through."""

from collections.abc import Sequence

from shared.domain.events import ObjectCreated
from shared.domain.tenants import TenantScope
from shared.runtime.transactions import transaction
from shared.runtime.worker import Worker, s3_function
from shared.usecases.ingest.receive import receive_all, tenant_of


async def receive_objects(tenant: TenantScope, created: Sequence[ObjectCreated]) -> None:
    """Move the documents of a tenant's objects on."""
    async with transaction(tenant) as ports:
        await receive_all(tenant, ports, created)


def objects_function() -> Worker:
    """The handler of a queue of events of a bucket of ours; objects that are none of ours are passed over."""
    return s3_function(tenant_of, receive_objects)
