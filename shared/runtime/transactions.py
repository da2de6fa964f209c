"""Transactions as doors use them: commit, then send what the transaction put in its outbox."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

import structlog

from shared import bootstrap
from shared.domain.errors import Unavailable
from shared.domain.tenants import TenantScope
from shared.ports.ports import Ports
from shared.runtime.logging import bound

if TYPE_CHECKING:
    from shared.domain.events import Outgoing

log = structlog.get_logger()


@asynccontextmanager
async def transaction(scope: TenantScope | None) -> AsyncIterator[Ports]:
    """One transaction: committed at the end of the block, rolled back when it raises.

    Its messages leave right after the commit. Lines logged in the block carry the tenant.
    """
    with nullcontext() if scope is None else bound(tenant_id=scope.tenant_id):
        async with bootstrap.transaction(scope) as ports:
            yield ports
            added = list(ports.outbox.added())
        await relay(added)


async def relay(messages: "Sequence[Outgoing]") -> int:
    """Send messages that are committed in the outbox, and forget those the queue took; returns how many.

    What cannot be sent now stays in the outbox: the sweep sends it. So a failure here is logged and does not undo the
    work.
    """
    if not messages:
        return 0
    try:
        sent = await bootstrap.powers().queue.send(messages)
        async with bootstrap.transaction(None) as ports:
            await ports.outbox.sent([message.id for message in sent])
    except Unavailable as error:
        log.warning("outbox.left_behind", messages=len(messages), error=error.detail)
        return 0
    if len(sent) < len(messages):
        log.warning("outbox.left_behind", messages=len(messages) - len(sent))
    return len(sent)
