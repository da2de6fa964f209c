"""Tell a document's own trouble from that of the whole deployment: only the former may cost it one of its tries.

The sweep, which the schedule calls every minute, leaves a note each time. A gap between two notes is a time in which
the database was out, or nothing of this deployment ran: whatever stood still then stood still for that reason. Notes
are by the database's clock, so that those of two processes can be compared.
"""

from datetime import datetime, timedelta

import structlog

from shared.domain.documents import Generation, GenerationState
from shared.domain.ingestion import STAGE_STATES
from shared.ports.ports import Ports

log = structlog.get_logger()

NOTE, OUTAGE = "sweep", "outage"
GAP = timedelta(seconds=90)
"""Between two notes without an outage: the schedule's minute, and half of one for a late start. An outage of a minute
keeps a sweep away, which makes it two; shorter ones are sat out by whoever has something to store.
"""
SKEW = timedelta(seconds=30)
"""A clock may be wrong by so much. What a process says it began just after an outage may have begun in it."""


async def note(ports: Ports) -> None:
    """The sweep begins; if it was long away, remember that there was an outage until now."""
    now = await ports.cursors.now()
    last = await ports.cursors.get(NOTE)
    if last and now - datetime.fromisoformat(last) > GAP:
        await ports.cursors.put(OUTAGE, now.isoformat(), now)
        log.warning("sweep.was_out", since=last)
    await ports.cursors.put(NOTE, now.isoformat(), now)


async def struck(ports: Ports, since: datetime) -> bool:
    """Whether there was an outage after a moment, or still is one, so that it concerned what went on since then.

    Args:
        ports: in a transaction.
        since: by the clock of some process.
    """
    until, last = await ports.cursors.get(OUTAGE), await ports.cursors.get(NOTE)
    # Whoever comes before the first sweep after an outage finds the gap itself.
    open_still = bool(last) and await ports.cursors.now() - datetime.fromisoformat(last) > GAP
    return open_still or (bool(until) and datetime.fromisoformat(until) > since - SKEW)


async def excused(ports: Ports, generation: Generation) -> bool:
    """Whether it says nothing of the document that its present try, whose deadline has passed, came to nothing.

    Nobody took it, so the queue is long or lost the message; or an outage fell into the time that it had. Reading is
    the exception to the first: the reader takes nothing, for it has no database.
    """
    untaken = generation.lease_owner is None and generation.state is not GenerationState.EXTRACTING
    if untaken or generation.due_at is None or generation.state not in STAGE_STATES.values():
        return untaken
    pace, state = ports.pace, generation.state
    had = pace.patience(state) if generation.lease_owner is None else pace.lease(state)
    return await struck(ports, generation.due_at - had)
