"""The worker of webhooks: see shared/usecases/webhooks/deliver.py."""

import random

from shared import bootstrap
from shared.domain.events import DeliveryMessage
from shared.domain.tenants import system_scope
from shared.runtime.logging import bound
from shared.runtime.transactions import transaction
from shared.usecases.webhooks.deliver import call, record, take


async def deliver(message: DeliveryMessage) -> None:
    """One attempt at one delivery. Only a database that cannot be reached raises."""
    scope = system_scope(message.tenant_id, message.project_id, "deliver_webhook")
    with bound(tenant_id=message.tenant_id, delivery_id=message.delivery_id):
        async with transaction(scope) as ports:
            taken = await take(scope, ports, message)
        if taken is None:
            return
        attempt = await call(bootstrap.powers(), taken)
        async with transaction(scope) as ports:
            await record(scope, ports, taken, attempt, random.random())
