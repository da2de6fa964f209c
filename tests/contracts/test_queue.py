"""What every queue must do: in memory and on SQS alike."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from shared.adapters.aws.queue import SqsQueue
from shared.adapters.memory.clock import ManualClock
from shared.adapters.memory.queue import MemoryQueue
from shared.domain.events import Outgoing
from shared.domain.events import Queue as QueueName
from shared.ports.queue import Queue, QueueDepth
from tests.fixtures.aws import AwsQueues

TENANTS = (UUID(int=1), UUID(int=2))


@dataclass(frozen=True, slots=True)
class Subject:
    """A queue, and how to take what is visible in it: (body, group)."""

    queue: Queue
    take: Callable[[QueueName], list[tuple[str, str]]]


@pytest.fixture(params=["memory", "moto"])
def subject(request: pytest.FixtureRequest) -> Subject:
    if request.param == "memory":
        memory = MemoryQueue(ManualClock())

        def take(name: QueueName) -> list[tuple[str, str]]:
            return [(queued.message.body, queued.message.group) for queued in memory.receive(name, 10_000)]

        return Subject(memory, take)
    made: AwsQueues = request.getfixturevalue("aws_queues")
    sqs = made.clients.get("sqs")

    def receive(name: QueueName) -> list[tuple[str, str]]:
        taken: list[tuple[str, str]] = []
        while True:
            answer = sqs.receive_message(QueueUrl=made.urls[name], MaxNumberOfMessages=10, AttributeNames=["All"])
            messages = answer.get("Messages", [])
            if not messages:
                return taken
            taken += [(message["Body"], message["Attributes"].get("MessageGroupId", "")) for message in messages]

    return Subject(SqsQueue(made.urls, made.dead_urls, made.clients), receive)


def messages_of(count: int, queue: QueueName = QueueName.INGEST_CHUNK, delay: int = 0, size: int = 0) -> list[Outgoing]:
    return [
        Outgoing(UUID(int=n + 1), queue, str(TENANTS[n % 2]), f'{{"n": {n}, "pad": "{"x" * size}"}}', delay)
        for n in range(count)
    ]


async def depth_of(depths: Callable[[], Awaitable[list[QueueDepth]]], name: str) -> QueueDepth:
    return next(depth for depth in await depths() if depth.name == name)


async def test_send_many_messages_accepts_and_delivers_each_once(subject: Subject) -> None:
    messages = messages_of(23)
    assert await subject.queue.send(messages) == messages
    taken = subject.take(QueueName.INGEST_CHUNK)
    assert sorted(taken) == sorted((message.body, message.group) for message in messages)


async def test_send_to_several_queues_sorts_them(subject: Subject) -> None:
    messages = [*messages_of(3, QueueName.INGEST_EMBED), *messages_of(2, QueueName.SWEEP)]
    assert await subject.queue.send(messages) == messages
    assert len(subject.take(QueueName.INGEST_EMBED)) == 3
    assert len(subject.take(QueueName.SWEEP)) == 2
    assert subject.take(QueueName.INGEST_CHUNK) == []


async def test_send_nothing_is_nothing(subject: Subject) -> None:
    assert await subject.queue.send([]) == []


async def test_send_large_bodies_delivers_all(subject: Subject) -> None:
    messages = messages_of(9, size=200_000)
    assert await subject.queue.send(messages) == messages
    assert len(subject.take(QueueName.INGEST_CHUNK)) == 9


async def test_send_with_delay_hides_the_message(subject: Subject) -> None:
    await subject.queue.send(messages_of(2, delay=600))
    assert subject.take(QueueName.INGEST_CHUNK) == []
    depth = await depth_of(subject.queue.depths, "ingest_chunk")
    assert (depth.waiting, depth.delayed, depth.dead) == (0, 2, False)


async def test_depths_counts_waiting_and_in_flight_and_names_dead_queues(subject: Subject) -> None:
    await subject.queue.send(messages_of(3))
    assert (await depth_of(subject.queue.depths, "ingest_chunk")).waiting == 3
    subject.take(QueueName.INGEST_CHUNK)
    depth = await depth_of(subject.queue.depths, "ingest_chunk")
    assert (depth.waiting, depth.in_flight) == (0, 3)
    depths = await subject.queue.depths()
    assert {name.value for name in QueueName} <= {depth.name for depth in depths if not depth.dead}
    assert any(depth.dead and depth.waiting == 0 for depth in depths)


async def test_receive_after_too_many_tries_sets_the_message_aside() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock, max_receives=2)
    await queue.send(messages_of(1))
    for _ in range(2):
        assert len(queue.receive(QueueName.INGEST_CHUNK)) == 1
        assert queue.receive(QueueName.INGEST_CHUNK) == []
        clock.advance(30)
    assert queue.receive(QueueName.INGEST_CHUNK) == []
    assert queue.dead(QueueName.INGEST_CHUNK) == messages_of(1)
    assert queue.waiting(QueueName.INGEST_CHUNK) == []


async def test_done_and_release_are_about_one_delivery() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    await queue.send([*messages_of(1), *messages_of(1)])
    first, second = queue.receive(QueueName.INGEST_CHUNK)
    queue.done(first)
    queue.done(first)
    queue.release(second, 5)
    assert queue.receive(QueueName.INGEST_CHUNK) == []
    clock.advance(5)
    assert [queued.receives for queued in queue.receive(QueueName.INGEST_CHUNK)] == [2]
