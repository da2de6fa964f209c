"""What ingestion runs promise: they end when their documents have, with the right counts, and whoever asked is told."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.domain.documents import Generation, GenerationState
from shared.domain.ingestions import CANCELLED, ENDS, Happening, Ingestion
from shared.domain.webhooks import SIGNATURE_HEADER, Delivery, DeliveryState, Webhook, secret_of, signature
from tests.simulation.endpoint import KEY, Endpoint
from tests.simulation.sight import Sight, short, written


def completed(
    sight: Sight, changes: Any, seen: Mapping[tuple[Any, ...], Ingestion | None], began: int
) -> Iterator[str]:
    """What is wrong with the completions in one commit.

    Args:
        sight: with the commit.
        changes: of the commit.
        seen: runs before it, by tenant and key.
        began: how many commits there had been when the transaction began.
    """
    for tenant, key, run in written(changes, "ingestions"):
        before = seen[tenant, *key]
        if run is None or run.completed_at is None or (before is not None and before.completed_at is not None):
            continue
        name, made = f"run {short(run.id)}", sight.of_run(run.id)
        if left := sum(not one.terminal for one in made):
            yield f"{name} completed while {left} of its documents were on their way"
        new = [one for _, _, one in written(changes, "webhook_deliveries") if one and one.ingestion_id == run.id]
        told = {one.webhook_id for one in new}
        for webhook in sight.webhooks():
            listens = webhook.enabled and webhook.project_id == run.project_id
            wanted = listens and (webhook.all_runs or webhook.id == run.webhook_id)
            if wanted and sight.since[webhook.id] < began and webhook.id not in told:
                yield f"{name} completed and {short(webhook.id)} is not told"
        for one in new:
            said = json.loads(one.body)["ingestion"]
            for field, value in counts(made).items():
                if said[field] != value:
                    yield f"{name} completed with {field} {value} and tells of {said[field]}"


def counts(made: list[Generation]) -> dict[str, object]:
    """What a run of these generations comes to, counted one by one."""
    latest: dict[UUID, Generation] = {}
    for one in sorted(made, key=lambda one: one.number):
        latest[one.document_id] = one
    states, errors, cancelled = Counter[str](), Counter[str](), 0
    for one in latest.values():
        code = one.failure.code if one.failure else ""
        cancelled += code == CANCELLED
        if code != CANCELLED:
            states[one.state.value] += 1
            errors.update([code] if one.state is GenerationState.FAILED else [])
    return {
        "documents": len(latest),
        "states": dict(states),
        "cancelled": cancelled,
        "errors": dict(errors),
        "cost": {name: sum(getattr(one.counts, name) for one in made) for name in COSTS},
    }


COSTS = ("chunks", "embedded", "reused", "tokens")


def judged(sight: Sight, endpoint: Endpoint) -> Iterator[str]:
    """What is wrong with runs at the end of a history."""
    events: dict[UUID, list[Any]] = {}
    for _, key, event in sight.table("ingestion_events"):
        events.setdefault(key[0], []).append(event)
    for run in sight.runs():
        yield from _run(sight, run, sorted(events.get(run.id, ()), key=lambda event: event.sequence))
    webhooks = {one.id: one for one in sight.webhooks()}
    for one in sight.deliveries():
        yield from _delivery(one, webhooks[one.webhook_id], endpoint)


def _run(sight: Sight, run: Ingestion, events: list[Any]) -> Iterator[str]:
    name, made = f"run {short(run.id)}", sight.of_run(run.id)
    ended = run.closed_at is not None and all(one.terminal for one in made)
    if ended != (run.completed_at is not None):
        yield f"{name} is {run.status.value}, closed at {run.closed_at}, with {[one.state.value for one in made]}"
    if run.announced != (sent := sum(not one.origin for one in made)):
        yield f"{name} has {sent} versions where {run.announced} joined"
    if sight.gone(run):
        if events or run.name:
            yield f"{name} is deleted, and {len(events)} of its events are left, or its name"
        return
    if [event.sequence for event in events] != list(range(1, run.sequence + 1)):
        yield f"{name} has events {[event.sequence for event in events]} of {run.sequence}"
    told = Counter((event.document_id, event.generation, event.kind) for event in events if event.document_id)
    happened = Counter((one.document_id, one.number, _end(one)) for one in made if one.terminal)
    if told != happened:
        yield f"{name} tells of ends that were none, or not of all: {told - happened}, {happened - told}"
    due = sum(event.kind is Happening.COMPLETED for event in events)
    named = sum(one.ingestion_id == run.id and one.webhook_id == run.webhook_id for one in sight.deliveries())
    if run.webhook_id is not None and named != due:
        yield f"{name} completed {due} times, and its endpoint has {named} deliveries"


def _end(one: Generation) -> Happening:
    cancelled = one.failure is not None and one.failure.code == CANCELLED
    return Happening.DOCUMENT_CANCELLED if cancelled else ENDS[one.state]


def _delivery(one: Delivery, webhook: Webhook, endpoint: Endpoint) -> Iterator[str]:
    name = f"delivery {short(one.id)}"
    if one.state is not DeliveryState.DELIVERED:
        yield f"{name} is {one.state.value} after {one.tries} tries"
    arrived = endpoint.received.get(str(one.id), [])
    if not arrived:
        yield f"{name} is {one.state.value} and never arrived"
    for body, headers in arrived:
        if body != one.body:
            yield f"{name} arrived with another body"
        second = headers[SIGNATURE_HEADER].partition(",")[0].removeprefix("t=")
        secrets = [secret_of(KEY, webhook.id, webhook.secret_version)]
        if headers[SIGNATURE_HEADER] != signature(secrets, body, _moment(second)):
            yield f"{name} arrived with a signature that is not its endpoint's"


def _moment(second: str) -> datetime:
    return datetime.fromtimestamp(int(second), UTC)
