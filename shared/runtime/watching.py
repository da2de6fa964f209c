"""An ingestion run as it goes, as server-sent events that can be taken up again where they broke off."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from shared.domain.ingestions import IngestionEvent, IngestionView
from shared.runtime.auth import Caller
from shared.runtime.events import sse
from shared.runtime.ingestions import IngestionEventOut, IngestionViewOut
from shared.runtime.web import Request
from shared.usecases.ingestions.manage import finished
from shared.usecases.ingestions.read import glance

WATCH_SECONDS = 120.0
"""After this the stream ends and the client takes it up again: one who has gone away is not paid for longer."""
MARGIN_SECONDS = 10.0
"""The stream ends this much before the platform would end it."""
POLL_SECONDS = 1.0
SILENCE_SECONDS = 15.0
"""After this much silence a comment is sent, so that nobody between takes the connection for dead."""
BATCH = 500

sleep = asyncio.sleep


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing happened for a while."""


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more will happen, and everything that did was told."""

    view: IngestionView


type Watched = IngestionView | IngestionEvent | Silence | End


def time_left(request: Request) -> float:
    """Seconds a watch may take in this invocation."""
    context = request.scope.get("aws.context")
    if context is None:
        return WATCH_SECONDS
    left: float = context.get_remaining_time_in_millis() / 1000
    return min(WATCH_SECONDS, left - MARGIN_SECONDS)


async def watch_events(caller: Caller, ingestion_id: UUID, after: int, seconds: float) -> AsyncIterator[Watched]:
    """Progress whenever it changed, every event after the number `after` exactly once and in order, and the end.

    Args:
        caller: opens a transaction for each look, and holds none between two.
        ingestion_id: the run.
        after: the last event the client has; 0 for none.
        seconds: how long at the most.

    Raises:
        NotFound: no such run in this project.
    """
    clock = caller.powers.clock
    until = told_at = clock.monotonic()
    until += seconds
    shown: IngestionView | None = None
    while True:
        async with caller.transaction() as ports:
            seen = await glance(caller.scope, ports, ingestion_id, after=after, limit=BATCH)
        if shown is None or shown.progress != seen.view.progress or seen.events:
            shown, told_at = seen.view, clock.monotonic()
            yield seen.view
        for event in seen.events:
            yield event
            after = event.sequence
        if finished(seen.view.ingestion) and after >= seen.view.ingestion.sequence:
            yield End(seen.view)
            return
        if len(seen.events) == BATCH:
            continue
        if clock.monotonic() >= until:
            return
        if clock.monotonic() - told_at >= SILENCE_SECONDS:
            told_at = clock.monotonic()
            yield Silence()
        await sleep(POLL_SECONDS)


def watched(one: Watched) -> str:
    """The text of one thing to tell. Only events carry an id: what is resumed by it is never lost nor told twice."""
    if isinstance(one, Silence):
        return ": nothing new\n\n"
    if isinstance(one, IngestionEvent):
        return sse(one.kind.value, IngestionEventOut.of(one).model_dump(mode="json"), id=one.sequence)
    if isinstance(one, End):
        return sse("end", {"status": one.view.ingestion.status.value})
    return sse("progress", IngestionViewOut.of(one).model_dump(mode="json"), retry=int(POLL_SECONDS * 1000))
