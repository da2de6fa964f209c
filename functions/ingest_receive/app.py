"""S3 events of both buckets: uploads that arrived, texts that were extracted."""

from shared.domain.events import ObjectCreated
from shared.runtime.transactions import transaction
from shared.runtime.worker import s3_function
from shared.usecases.ingest.receive import receive, tenant_of


async def handle(created: ObjectCreated) -> None:
    """Move the object's document on; objects that are none of ours are passed over."""
    tenant = tenant_of(created)
    if tenant is not None:
        async with transaction(tenant) as ports:
            await receive(tenant, ports, created)


handler = s3_function(handle)
