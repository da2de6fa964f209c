"""Queue and schedule doors: records in, each handled on its own, failures reported one by one."""

import json
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import UnionType
from typing import Any
from urllib.parse import unquote_plus

import structlog
from pydantic import TypeAdapter, ValidationError

from shared import bootstrap
from shared.domain.errors import LambentError
from shared.domain.events import (
    DeliveryMessage,
    EraseMessage,
    ExtractMessage,
    GenerationMessage,
    IngestionMessage,
    Message,
    ObjectCreated,
    SweepMessage,
)
from shared.runtime.invocation import LambdaContext, invocation, run
from shared.runtime.logging import bound

log = structlog.get_logger()

MARGIN_MS = 5_000
"""With less than this left, records are given back instead of begun: they are delivered again."""

KINDS: Mapping[type[Message], str] = {
    GenerationMessage: "generation",
    ExtractMessage: "generation",
    SweepMessage: "sweep",
    EraseMessage: "sweep",
    IngestionMessage: "ingestion",
    DeliveryMessage: "delivery",
}
"""What dead letters are counted as; 'object' is an event of S3, 'poison' nothing this system ever wrote."""

type Event = dict[str, Any]
type BatchResponse = dict[str, list[dict[str, str]]]
type Worker = Callable[[Event, LambdaContext], BatchResponse]


def sqs_function[Body](kind: type[Body] | UnionType, handle: Callable[[Body], Coroutine[Any, Any, None]]) -> Worker:
    """The handler of a queue whose messages are `kind`, or one of several kinds.

    A record that cannot be handled is reported by its id and delivered again (ReportBatchItemFailures); the others are
    done. A body that is no `kind` at all is an error too: it goes the way of every poison message, to the dead-letter
    queue, where it is seen.
    """
    reader: TypeAdapter[Body] = TypeAdapter(kind)

    async def one(record: Event) -> None:
        await handle(reader.validate_json(record["body"]))

    return _batch(one)


def s3_function[Group](
    group_of: Callable[[ObjectCreated], Group | None],
    handle: Callable[[Group, Sequence[ObjectCreated]], Coroutine[Any, Any, None]],
) -> Worker:
    """The handler of a queue that S3 writes its events to. The test event S3 sends on set-up is passed over.

    What belongs together is handled together. If that fails, each record is handled by itself, so that one that cannot
    be holds up no other.

    Args:
        group_of: what an object belongs to; None: it is nobody's.
        handle: takes some of a group's objects.
    """

    async def every(records: list[Event], context: LambdaContext) -> list[str]:
        groups, failed = await _grouped(records, group_of)
        for group, told in groups.items():
            late = context.get_remaining_time_in_millis() < MARGIN_MS
            if late:
                log.warning("batch.out_of_time", left=len(told))
            if late or not await _handled(handle(group, [one for some in told.values() for one in some])):
                for id, some in told.items():
                    if late or len(told) == 1 or not await _handled(handle(group, some)):
                        failed.add(id)
        return [record["messageId"] for record in records if record["messageId"] in failed]

    return _door(every)


async def _grouped[Group](
    records: list[Event], group_of: Callable[[ObjectCreated], Group | None]
) -> tuple[dict[Group, dict[str, list[ObjectCreated]]], set[str]]:
    """The objects by what they belong to and by the record that tells of them; and the records nobody can read."""
    groups: dict[Group, dict[str, list[ObjectCreated]]] = {}
    failed: set[str] = set()

    async def read(record: Event) -> None:
        for created in list(objects_created(record["body"])):
            group = group_of(created)
            if group is not None:
                groups.setdefault(group, {}).setdefault(record["messageId"], []).append(created)

    for record in records:
        if not await _handled(read(record)):
            failed.add(record["messageId"])
    return groups, failed


def objects_created(body: str) -> Iterable[ObjectCreated]:
    """The ObjectCreated records of an S3 event notification; keys are decoded (S3 writes a space as '+')."""
    event = json.loads(body)
    for record in event.get("Records", ()):
        if not str(record["eventName"]).startswith("ObjectCreated:"):
            continue
        found = record["s3"]["object"]
        yield ObjectCreated(
            bucket=record["s3"]["bucket"]["name"],
            key=unquote_plus(found["key"]),
            version_id=found.get("versionId", ""),
            sequencer=found.get("sequencer", ""),
            size=int(found.get("size", 0)),
            event_time=datetime.fromisoformat(record["eventTime"]),
        )


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that nobody could process."""

    queue: str
    body: str
    content: Message | tuple[ObjectCreated, ...] | None
    """Which message, or which objects it told of; None when it is neither."""


def dead_letter_function(handle: Callable[[DeadLetter], Coroutine[Any, Any, None]]) -> Worker:
    """The handler of the dead-letter queues. Every letter is logged and counted, by queue and by what it is."""
    reader: TypeAdapter[Message] = TypeAdapter(Message)

    async def one(record: Event) -> None:
        queue, body = str(record.get("eventSourceARN", "")).rpartition(":")[2], record["body"]
        content: Message | tuple[ObjectCreated, ...] | None
        try:
            content = reader.validate_json(body)
        except ValidationError:
            content = _objects(body) or None
        kind = "object" if isinstance(content, tuple) else "poison" if content is None else KINDS[type(content)]
        log.error("message.dead", queue=queue, kind=kind, body=body[:2000])
        bootstrap.powers().meter.add("dead_letters", 1, queue=queue, kind=kind)
        await handle(DeadLetter(queue, body, content))

    return _batch(one)


def _objects(body: str) -> tuple[ObjectCreated, ...]:
    try:
        return tuple(objects_created(body))
    except (ValueError, LookupError, TypeError, AttributeError):
        return ()


def either(
    queue: Worker, schedule: Callable[[Event, LambdaContext], None]
) -> Callable[[Event, LambdaContext], BatchResponse | None]:
    """The handler of a function that has a queue and a schedule: records go to the one, anything else to the other."""

    def handler(event: Event, context: LambdaContext) -> BatchResponse | None:
        if "Records" in event:
            return queue(event, context)
        schedule(event, context)
        return None

    return handler


def schedule_function(handle: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[Event, LambdaContext], None]:
    """The handler of a schedule."""

    def handler(event: Event, context: LambdaContext) -> None:
        with invocation(context, "schedule"):
            run(handle())

    return handler


def call_function(
    handle: Callable[[Event], Coroutine[Any, Any, dict[str, object]]],
) -> Callable[[Event, LambdaContext], dict[str, object]]:
    """The handler of a function that is called by name, with its answer."""

    def handler(event: Event, context: LambdaContext) -> dict[str, object]:
        with invocation(context, "call"):
            return run(handle(event))

    return handler


def _batch(one: Callable[[Event], Coroutine[Any, Any, None]]) -> Worker:
    async def every(records: list[Event], context: LambdaContext) -> list[str]:
        failed: list[str] = []
        for index, record in enumerate(records):
            if context.get_remaining_time_in_millis() < MARGIN_MS:
                log.warning("batch.out_of_time", left=len(records) - index)
                return failed + [late["messageId"] for late in records[index:]]
            received = record.get("attributes", {}).get("ApproximateReceiveCount", "1")
            with bound(message_id=record["messageId"], receive_count=received):
                if not await _handled(one(record)):
                    failed.append(record["messageId"])
        return failed

    return _door(every)


def _door(every: Callable[[list[Event], LambdaContext], Coroutine[Any, Any, list[str]]]) -> Worker:
    def handler(event: Event, context: LambdaContext) -> BatchResponse:
        with invocation(context, "queue"):
            failed = run(every(event["Records"], context))
        return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}

    return handler


async def _handled(work: Coroutine[Any, Any, None]) -> bool:
    try:
        await work
    except LambentError as error:
        log.warning("record.failed", code=error.code, error=error.detail)
        return False
    except (ValidationError, ValueError, KeyError) as error:
        log.error("record.malformed", error=str(error)[:500])
        return False
    except Exception:
        log.exception("record.crashed")
        return False
    return True
