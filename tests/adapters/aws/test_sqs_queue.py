"""What is particular to SQS; what every queue must do is in tests/contracts."""

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.aws.clients import Clients
from shared.adapters.aws.queue import BATCH, BATCH_BYTES, SqsQueue, batches
from shared.domain.errors import Unavailable
from shared.domain.events import Outgoing, Queue
from tests.fixtures.aws import AwsQueues

URLS = {"ingest_chunk": "https://sqs/chunk", "ingest_embed": "https://sqs/embed"}


class FakeSqs:
    """Takes batches, and turns down what it is told to, as often as it is told to."""

    def __init__(self, *, turn_down: Sequence[str] = (), times: int = 1, error: Exception | None = None) -> None:
        self.calls: list[dict[str, Any]] = []
        self._left = Counter(dict.fromkeys(turn_down, times))
        self._error = error
        self._lock = threading.Lock()

    def send_message_batch(self, **call: Any) -> dict[str, Any]:
        """As the real one."""
        with self._lock:
            self.calls.append(call)
            if self._error is not None:
                raise self._error
            answer: dict[str, Any] = {"Successful": [], "Failed": []}
            for entry in call["Entries"]:
                self._left[entry["MessageBody"]] -= 1
                refused = self._left[entry["MessageBody"]] >= 0
                answer["Failed" if refused else "Successful"].append({"Id": entry["Id"]})
            return answer


class FakeClients:
    """Gives the fake to whoever asks for SQS."""

    def __init__(self, sqs: FakeSqs) -> None:
        self._sqs = sqs

    def get(self, service: str) -> FakeSqs:
        """As the real one."""
        assert service == "sqs"
        return self._sqs


def queue_on(sqs: FakeSqs) -> SqsQueue:
    return SqsQueue(URLS, [], cast(Clients, FakeClients(sqs)))


def message(body: str, queue: Queue = Queue.INGEST_CHUNK, delay: int = 0, group: str = "t") -> Outgoing:
    return Outgoing(UUID(int=len(body) + 1), queue, group, body, delay)


async def test_send_turned_down_once_is_sent_again_alone() -> None:
    sqs = FakeSqs(turn_down=["b"])
    messages = [message(body) for body in "abc"]
    assert await queue_on(sqs).send(messages) == messages
    assert [[entry["MessageBody"] for entry in call["Entries"]] for call in sqs.calls] == [["a", "b", "c"], ["b"]]


async def test_send_turned_down_twice_is_left_out() -> None:
    sqs = FakeSqs(turn_down=["b"], times=2)
    messages = [message(body) for body in "abc"]
    assert await queue_on(sqs).send(messages) == [messages[0], messages[2]]
    assert len(sqs.calls) == 2


async def test_send_equal_messages_counts_each() -> None:
    messages = [message("a"), message("a")]
    assert await queue_on(FakeSqs()).send(messages) == messages


async def test_send_all_turned_down_accepts_none() -> None:
    assert await queue_on(FakeSqs(turn_down=["a"], times=9)).send([message("a")]) == []


async def test_send_unreachable_is_unavailable() -> None:
    error = EndpointConnectionError(endpoint_url="https://secret-host")
    with pytest.raises(Unavailable) as raised:
        await queue_on(FakeSqs(error=error)).send([message("a")])
    assert raised.value.detail == "sending messages failed: EndpointConnectionError"


async def test_send_refused_call_is_unavailable_with_its_code() -> None:
    answer = {
        "Error": {"Code": "AccessDenied", "Message": "arn:aws:sqs:..."},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }
    with pytest.raises(Unavailable) as raised:
        await queue_on(FakeSqs(error=ClientError(cast(Any, answer), "SendMessageBatch"))).send([message("a")])
    assert raised.value.detail == "sending messages failed: AccessDenied (403)"


async def test_send_to_a_queue_it_does_not_know_is_left_out() -> None:
    messages = [message("a"), message("b", Queue.SWEEP)]
    assert await queue_on(FakeSqs()).send(messages) == messages[:1]
    with pytest.raises(Unavailable) as raised:
        await queue_on(FakeSqs()).send(messages[1:])
    assert raised.value.code == "not_configured"


async def test_send_entries_carry_group_and_delay() -> None:
    sqs = FakeSqs()
    await queue_on(sqs).send([message("a", delay=5), message("b", delay=5000, group="")])
    (call,) = sqs.calls
    assert call["QueueUrl"] == "https://sqs/chunk"
    assert call["Entries"] == [
        {"Id": "0", "MessageBody": "a", "DelaySeconds": 5, "MessageGroupId": "t"},
        {"Id": "1", "MessageBody": "b", "DelaySeconds": 900},
    ]


async def test_send_several_batches_run_at_once() -> None:
    together = threading.Barrier(3, timeout=20)

    class Meeting(FakeSqs):
        def send_message_batch(self, **call: Any) -> dict[str, Any]:
            together.wait()
            return super().send_message_batch(**call)

    messages = [message(f"{n}") for n in range(30)]
    assert await queue_on(Meeting()).send(messages) == messages


async def test_depths_missing_queue_is_unavailable(aws_queues: AwsQueues) -> None:
    queue = SqsQueue({"sweep": aws_queues.urls["sweep"] + "-none"}, [], aws_queues.clients)
    with pytest.raises(Unavailable, match="looking at a queue failed"):
        await queue.depths()


@given(st.lists(st.integers(0, 300_000), max_size=40))
def test_batches_keep_order_and_limits(sizes: list[int]) -> None:
    messages = [(place, message("x" * size)) for place, size in enumerate(sizes)]
    cut = batches(messages)
    assert [one for batch in cut for one in batch] == messages
    for batch in cut:
        assert 1 <= len(batch) <= BATCH
        assert sum(len(each.body) for _, each in batch) <= BATCH_BYTES


def test_batches_too_large_a_message_goes_alone() -> None:
    cut = batches([(0, message("a")), (1, message("é" * BATCH_BYTES)), (2, message("b"))])
    assert [[place for place, _ in batch] for batch in cut] == [[0], [1], [2]]
