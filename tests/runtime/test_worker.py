"""Queue doors: records one by one, failures by id, nothing begun that cannot be ended."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from shared.adapters.memory.meter import MemoryMeter
from shared.domain.errors import Rejected, Unavailable
from shared.domain.events import GenerationMessage, ObjectCreated, Queue, SweepMessage, body_of
from shared.runtime.worker import (
    MARGIN_MS,
    DeadLetter,
    call_function,
    dead_letter_function,
    either,
    objects_created,
    s3_function,
    schedule_function,
    sqs_function,
)
from tests.runtime.contexts import FakeContext

AT = datetime(2026, 1, 1, tzinfo=UTC)
type Lines = Callable[[], list[dict[str, Any]]]


def sweep(number: int) -> SweepMessage:
    return SweepMessage(UUID(int=1), UUID(int=2), UUID(int=number), AT)


def record(number: int, body: str | None = None, receives: int = 1) -> dict[str, Any]:
    return {
        "messageId": f"m{number}",
        "body": json.dumps(body_of(sweep(number))) if body is None else body,
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:SweepQueue",
    }


def failed(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


class Handled:
    """A handler that remembers, and fails where it is told to."""

    def __init__(self, errors: dict[int, Exception] | None = None) -> None:
        self.numbers: list[int] = []
        self.errors = errors or {}

    async def __call__(self, message: SweepMessage) -> None:
        number = message.document_id.int
        self.numbers.append(number)
        if number in self.errors:
            raise self.errors[number]


def test_sqs_function_with_good_records_handles_all_in_order() -> None:
    handled = Handled()
    answer = sqs_function(SweepMessage, handled)({"Records": [record(1), record(2), record(3)]}, FakeContext())
    assert failed(answer) == []
    assert handled.numbers == [1, 2, 3]


@pytest.mark.parametrize(
    "error", [Unavailable("down"), Rejected("never"), ValueError("odd"), KeyError("x"), RuntimeError("bug")]
)
def test_sqs_function_with_one_failing_record_reports_it_alone(error: Exception) -> None:
    handled = Handled({2: error})
    answer = sqs_function(SweepMessage, handled)({"Records": [record(1), record(2), record(3)]}, FakeContext())
    assert failed(answer) == ["m2"]
    assert handled.numbers == [1, 2, 3]


@pytest.mark.parametrize("body", ["", "{", "null", "[]", "{}", '{"tenant_id": "x"}', '{"Records": []}'])
def test_sqs_function_with_malformed_body_reports_it_and_goes_on(body: str, log_lines: Lines) -> None:
    handled = Handled()
    answer = sqs_function(SweepMessage, handled)({"Records": [record(1, body), record(2)]}, FakeContext())
    assert failed(answer) == ["m1"]
    assert handled.numbers == [2]
    assert [line["message_id"] for line in log_lines() if line["event"] == "record.malformed"] == ["m1"]


def test_sqs_function_out_of_time_gives_the_rest_back(log_lines: Lines) -> None:
    handled = Handled()
    left = iter([MARGIN_MS + 1, MARGIN_MS, MARGIN_MS - 1])
    records = [record(1), record(2), record(3), record(4)]
    answer = sqs_function(SweepMessage, handled)({"Records": records}, FakeContext(remaining=left))
    assert handled.numbers == [1, 2]
    assert failed(answer) == ["m3", "m4"]
    assert {"event": "batch.out_of_time", "left": 2}.items() <= next(
        line for line in log_lines() if line["event"] == "batch.out_of_time"
    ).items()


def test_sqs_function_out_of_time_after_a_failure_reports_both() -> None:
    left = iter([MARGIN_MS, 0])
    answer = sqs_function(SweepMessage, Handled({1: Unavailable("down")}))(
        {"Records": [record(1), record(2)]}, FakeContext(remaining=left)
    )
    assert failed(answer) == ["m1", "m2"]


def test_sqs_function_logs_lines_bound_to_invocation_and_record(log_lines: Lines) -> None:
    handled = Handled({1: RuntimeError("bug")})
    sqs_function(SweepMessage, handled)({"Records": [record(1, receives=3)]}, FakeContext())
    lines = log_lines()
    assert [line["event"] for line in lines] == ["invocation.started", "record.crashed", "invocation.ended"]
    assert all(line["request_id"] == "0c3a1f5e-test-request" for line in lines)
    assert all(line["function"] == "lambent-test" and line["timestamp"] and line["level"] for line in lines)
    crashed = lines[1]
    assert (crashed["message_id"], crashed["receive_count"], crashed["level"]) == ("m1", "3", "error")
    assert "RuntimeError: bug" in crashed["exception"]
    assert "message_id" not in lines[2]


def test_sqs_function_writes_metrics_once_per_invocation(meter: MemoryMeter) -> None:
    async def handle(message: SweepMessage) -> None:
        meter.add("swept", 1)

    sqs_function(SweepMessage, handle)({"Records": [record(1), record(2)]}, FakeContext())
    assert [one.name for one in meter.written] == ["swept", "swept"]


def test_sqs_function_on_a_warm_process_keeps_its_event_loop() -> None:
    import asyncio

    loops = []

    async def handle(message: SweepMessage) -> None:
        loops.append(asyncio.get_running_loop())

    handler = sqs_function(SweepMessage, handle)
    handler({"Records": [record(1)]}, FakeContext())
    # What another library may do in between.
    asyncio.set_event_loop(None)
    handler({"Records": [record(2)]}, FakeContext())
    assert loops[0] is loops[1]


S3_RECORD = {
    "eventName": "ObjectCreated:Post",
    "eventTime": "2026-01-01T00:00:00.123Z",
    "s3": {
        "bucket": {"name": "uploads"},
        "object": {"key": "a+b%2B%C3%A9.pdf", "size": 7, "versionId": "v1", "sequencer": "00AA"},
    },
}


def test_objects_created_decodes_keys_once() -> None:
    assert list(objects_created(json.dumps({"Records": [S3_RECORD]}))) == [
        ObjectCreated("uploads", "a b+é.pdf", "v1", "00AA", 7, datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC))
    ]


def test_objects_created_with_unversioned_bucket_leaves_the_version_empty() -> None:
    bare: dict[str, Any] = json.loads(json.dumps(S3_RECORD))
    del bare["s3"]["object"]["versionId"], bare["s3"]["object"]["sequencer"], bare["s3"]["object"]["size"]
    (created,) = objects_created(json.dumps({"Records": [bare]}))
    assert (created.version_id, created.sequencer, created.size) == ("", "", 0)


@pytest.mark.parametrize(
    "body",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads"},
        {"Records": []},
        {"Records": [{"eventName": "ObjectRemoved:Delete"}]},
        {"Records": [{"eventName": "s3:ReducedRedundancyLostObject"}]},
    ],
)
def test_objects_created_with_other_events_is_empty(body: dict[str, Any]) -> None:
    assert list(objects_created(json.dumps(body))) == []


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"Records": [{}]}', '{"Records": [{"eventName": "ObjectCreated:Put"}]}']
)
def test_s3_function_with_malformed_notification_reports_it(body: str) -> None:
    seen: list[ObjectCreated] = []

    async def handle(group: str, created: Sequence[ObjectCreated]) -> None:
        seen.extend(created)

    records = [record(1, body), record(2, json.dumps({"Records": [S3_RECORD, S3_RECORD]}))]
    assert failed(s3_function(bucket_of, handle)({"Records": records}, FakeContext())) == ["m1"]
    assert len(seen) == 2


def bucket_of(created: ObjectCreated) -> str | None:
    return None if created.bucket == "nobody" else created.bucket


def told(number: int, *buckets: str) -> dict[str, Any]:
    """A record that tells of an object named by its number in each of the buckets."""
    events = [json.loads(json.dumps(S3_RECORD)) for _ in buckets]
    for event, bucket in zip(events, buckets, strict=True):
        event["s3"]["bucket"]["name"], event["s3"]["object"]["key"] = bucket, f"k{number}"
    return record(number, json.dumps({"Records": events}))


def test_s3_function_handles_together_what_belongs_together() -> None:
    calls: list[tuple[str, list[str]]] = []

    async def handle(group: str, created: Sequence[ObjectCreated]) -> None:
        calls.append((group, [one.key for one in created]))

    records = [told(1, "a"), told(2, "b"), told(3, "a"), told(4, "nobody"), told(5, "b", "a")]
    assert failed(s3_function(bucket_of, handle)({"Records": records}, FakeContext())) == []
    assert calls == [("a", ["k1", "k3", "k5"]), ("b", ["k2", "k5"])]


def test_s3_function_reports_only_the_record_that_cannot_be_handled() -> None:
    done: list[str] = []

    async def handle(group: str, created: Sequence[ObjectCreated]) -> None:
        if any(one.key == "k3" for one in created):
            raise Unavailable("not now")
        done.extend(one.key for one in created)

    records = [told(number, "a") for number in (1, 2, 3, 4)] + [told(5, "b")]
    assert failed(s3_function(bucket_of, handle)({"Records": records}, FakeContext())) == ["m3"]
    assert done == ["k1", "k2", "k4", "k5"]


def test_s3_function_reports_a_record_that_fails_for_one_of_its_groups() -> None:
    async def handle(group: str, created: Sequence[ObjectCreated]) -> None:
        if group == "b":
            raise Unavailable("not now")

    records = [told(1, "a", "b"), told(2, "a")]
    assert failed(s3_function(bucket_of, handle)({"Records": records}, FakeContext())) == ["m1"]


def test_s3_function_without_time_gives_back_what_is_not_begun() -> None:
    async def handle(group: str, created: Sequence[ObjectCreated]) -> None:
        return None

    records = [told(1, "a"), told(2, "b"), told(3, "b")]
    context = FakeContext(remaining=iter([30_000, 1_000]))
    assert failed(s3_function(bucket_of, handle)({"Records": records}, context)) == ["m2", "m3"]


def test_dead_letter_function_names_queue_and_message(log_lines: Lines) -> None:
    letters: list[DeadLetter] = []

    async def handle(letter: DeadLetter) -> None:
        letters.append(letter)

    message = GenerationMessage(UUID(int=1), UUID(int=2), UUID(int=3), 4, AT, Queue.INGEST_CHUNK)
    records = [record(1, json.dumps(body_of(message))), record(2, "x" * 5000)]
    assert failed(dead_letter_function(handle)({"Records": records}, FakeContext())) == []
    assert [letter.content for letter in letters] == [message, None]
    assert letters[0].queue == "SweepQueue"
    dead = [line for line in log_lines() if line["event"] == "message.dead"]
    assert len(dead) == 2
    assert len(dead[1]["body"]) == 2000


def test_either_sends_records_to_the_queue_and_the_rest_to_the_schedule() -> None:
    handled, ticks = Handled(), []

    async def tick() -> None:
        ticks.append(1)

    handler = either(sqs_function(SweepMessage, handled), schedule_function(tick))
    assert handler({"Records": [record(1)]}, FakeContext()) == {"batchItemFailures": []}
    assert handler({"source": "aws.scheduler"}, FakeContext()) is None
    assert (handled.numbers, ticks) == ([1], [1])


def test_schedule_function_with_error_fails_the_invocation(log_lines: Lines, meter: MemoryMeter) -> None:
    async def tick() -> None:
        meter.add("ticks", 1)
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        schedule_function(tick)({}, FakeContext())
    assert [line["event"] for line in log_lines()] == ["invocation.started", "invocation.failed"]
    assert [one.name for one in meter.written] == ["ticks"]


def test_call_function_answers() -> None:
    async def handle(event: dict[str, Any]) -> dict[str, object]:
        return {"got": event["x"]}

    assert call_function(handle)({"x": 1}, FakeContext()) == {"got": 1}
