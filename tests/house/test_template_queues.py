"""Queues and what empties them: no message is worked on twice at once, none is lost, none is stuck unseen."""

from datetime import timedelta

import pytest

from shared.domain.events import Queue
from shared.domain.ingestion import LEASE, PATIENCE, STAGE_STATES
from tests.house.template import Json, Stack, logical_id, named, stacks

DAY = 86400
each = pytest.mark.parametrize("stack", stacks(), ids=str)


def mappings(stack: Stack) -> list[tuple[str, str, Json]]:
    """Function, queue and properties of every event source mapping."""
    found = stack.of_type("AWS::Lambda::EventSourceMapping").values()
    return [(named(one["FunctionName"]), named(one["EventSourceArn"]), one) for one in found]


def queue_of(name: Queue) -> str:
    """ingest_chunk → IngestChunkQueue."""
    return logical_id(name.value).removesuffix("Function") + "Queue"


def dead_queues(stack: Stack) -> dict[str, str]:
    """Source queue to dead-letter queue."""
    queues = stack.of_type("AWS::SQS::Queue")
    return {
        name: named(one["RedrivePolicy"]["deadLetterTargetArn"])
        for name, one in queues.items()
        if "RedrivePolicy" in one
    }


@each
def test_queues_every_named_queue_exists_with_its_dead_queue(stack: Stack) -> None:
    expected = {queue_of(name): queue_of(name).replace("Queue", "DeadQueue") for name in Queue}
    assert dead_queues(stack) == expected


@each
def test_queues_consumer_is_the_function_of_the_same_name(stack: Stack) -> None:
    consumers = {queue: function for function, queue, _ in mappings(stack) if not queue.endswith("DeadQueue")}
    assert consumers == {queue_of(name): logical_id(name.value) for name in Queue}


@each
def test_queues_visibility_is_six_timeouts_and_the_window(stack: Stack) -> None:
    queues = stack.of_type("AWS::SQS::Queue")
    for function, queue, mapping in mappings(stack):
        needed = 6 * stack.functions[function]["Timeout"] + mapping["MaximumBatchingWindowInSeconds"]
        assert queues[queue]["VisibilityTimeout"] >= needed, f"{queue}: two workers would hold one message"


@each
def test_queues_redrive_after_five_receives(stack: Stack) -> None:
    for name, queue in stack.of_type("AWS::SQS::Queue").items():
        if "RedrivePolicy" in queue:
            assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5, name


@each
def test_queues_dead_letters_outlive_their_source(stack: Stack) -> None:
    queues = stack.of_type("AWS::SQS::Queue")
    for source, dead in dead_queues(stack).items():
        assert queues[dead]["MessageRetentionPeriod"] == 14 * DAY, dead
        assert queues[source]["MessageRetentionPeriod"] < queues[dead]["MessageRetentionPeriod"], source


@each
def test_queues_dead_letters_are_all_consumed_by_ingest_reject(stack: Stack) -> None:
    consumed = {queue for function, queue, _ in mappings(stack) if function == "IngestRejectFunction"}
    assert consumed == set(dead_queues(stack).values())


@each
def test_queues_are_standard_and_encrypted(stack: Stack) -> None:
    for name, queue in stack.of_type("AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True, name
        assert "FifoQueue" not in queue, name


@each
def test_queues_refuse_calls_without_tls(stack: Stack) -> None:
    guarded: list[str] = []
    for policy in stack.of_type("AWS::SQS::QueuePolicy").values():
        denies = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
        assert [one["Condition"] for one in denies] == [{"Bool": {"aws:SecureTransport": "false"}}]
        guarded += [named(queue) for queue in policy["Queues"]]
    # A queue has one policy: named twice, the second would replace the first.
    assert sorted(guarded) == sorted(stack.of_type("AWS::SQS::Queue"))


@each
def test_queues_each_bucket_may_send_to_the_one_it_tells_and_nobody_to_another(stack: Stack) -> None:
    allowed = {}
    for policy in stack.of_type("AWS::SQS::QueuePolicy").values():
        for one in policy["PolicyDocument"]["Statement"]:
            if one["Effect"] == "Allow":
                assert one["Principal"] == {"Service": "s3.amazonaws.com"}
                assert one["Action"] == "sqs:SendMessage"
                assert one["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
                allowed[named(one["Resource"])] = one["Condition"]["ArnEquals"]["aws:SourceArn"]
    told = {
        named(one["Queue"]): f"arn:aws:s3:::{bucket['BucketName']}"
        for bucket in stack.of_type("AWS::S3::Bucket").values()
        for one in bucket["NotificationConfiguration"]["QueueConfigurations"]
    }
    assert len(told) == 2
    assert allowed == told


@each
def test_mappings_report_each_failed_record(stack: Stack) -> None:
    for _, queue, mapping in mappings(stack):
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], queue


@each
def test_mappings_say_batch_window_and_concurrency(stack: Stack) -> None:
    for _, queue, mapping in mappings(stack):
        assert 1 <= mapping["BatchSize"] <= 10, queue
        assert 0 <= mapping["MaximumBatchingWindowInSeconds"] <= 5, queue
        assert 2 <= int(mapping["ScalingConfig"]["MaximumConcurrency"]) <= 1000, queue


@each
def test_mappings_hold_no_filter_that_would_delete_messages(stack: Stack) -> None:
    for _, queue, mapping in mappings(stack):
        assert "FilterCriteria" not in mapping, queue


@each
def test_mappings_parser_takes_one_file_at_a_time(stack: Stack) -> None:
    (mapping,) = [one for function, _, one in mappings(stack) if function == "IngestExtractFunction"]
    assert mapping["BatchSize"] == 1


@each
def test_timeouts_fit_the_leases_of_the_stages(stack: Stack) -> None:
    for name, state in STAGE_STATES.items():
        timeout = timedelta(seconds=stack.functions[logical_id(name.value)]["Timeout"])
        assert timeout < PATIENCE[state], f"{name}: the sweep would queue again what is still being worked on"
        if state in LEASE:
            assert timeout < LEASE[state], f"{name}: another worker would claim what is still being worked on"
