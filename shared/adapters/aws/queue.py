"""Queues in SQS."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.adapters.aws.calls import call
from shared.adapters.aws.clients import Clients, clients
from shared.domain.errors import Unavailable
from shared.domain.events import Outgoing
from shared.ports.queue import QueueDepth

BATCH = 10
BATCH_BYTES = 1_048_576
"""What SQS takes in one call: messages, and bytes of all their bodies."""
MAX_DELAY = 900
ROUNDS = 2
"""A message SQS turns down is tried once more; then it is left to the outbox."""


class SqsQueue:
    """Implements `shared.ports.queue.Queue` on standard queues.

    MessageGroupId keeps one tenant's flood from delaying the others.
    """

    def __init__(self, urls: Mapping[str, str], dead_urls: Sequence[str] = (), clients: Clients | None = None) -> None:
        """Nothing is opened before the first call.

        Args:
            urls: URL by queue name, of those this function may use.
            dead_urls: URLs of dead-letter queues, looked at by `depths`.
            clients: those of the process when None.
        """
        self._urls = dict(urls)
        self._dead_urls = list(dead_urls)
        self._clients = clients

    async def send(self, messages: Sequence[Outgoing]) -> list[Outgoing]:
        """See the port. A message for a queue this function does not know is left out.

        Raises:
            Unavailable: nothing could be sent at all.
        """
        accepted: set[int] = set()
        failure: Unavailable | None = None
        for _ in range(ROUNDS):
            left = [(place, message) for place, message in enumerate(messages) if place not in accepted]
            answers = await asyncio.gather(
                *(self._send(url, batch) for url, waiting in self._by_url(left).items() for batch in batches(waiting)),
                return_exceptions=True,
            )
            for answer in answers:
                if isinstance(answer, Unavailable):
                    failure = answer
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    accepted |= answer
            if len(accepted) == len(messages):
                break
        if messages and not accepted:
            if failure is not None:
                raise failure
            if not any(message.queue in self._urls for message in messages):
                raise Unavailable(
                    f"this function has no address of the queue {messages[0].queue}", code="not_configured"
                )
        return [message for place, message in enumerate(messages) if place in accepted]

    async def depths(self) -> list[QueueDepth]:
        """See the port. Dead-letter queues go by the last part of their URL."""
        queues = [(name, url, False) for name, url in self._urls.items()]
        queues += [(url.rpartition("/")[2], url, True) for url in self._dead_urls]
        return list(await asyncio.gather(*(self._depth(*queue) for queue in queues)))

    def _sqs(self) -> Any:
        return (self._clients or clients()).get("sqs")

    def _by_url(self, messages: Iterable[tuple[int, Outgoing]]) -> dict[str, list[tuple[int, Outgoing]]]:
        waiting: dict[str, list[tuple[int, Outgoing]]] = {}
        for place, message in messages:
            if message.queue in self._urls:
                waiting.setdefault(self._urls[message.queue], []).append((place, message))
        return waiting

    async def _send(self, url: str, batch: Sequence[tuple[int, Outgoing]]) -> set[int]:
        """Places of the messages that were accepted."""
        entries = [_entry(place, message) for place, message in batch]
        answer = await call("sending messages", lambda: self._sqs().send_message_batch(QueueUrl=url, Entries=entries))
        return {int(sent["Id"]) for sent in answer.get("Successful", ())}

    async def _depth(self, name: str, url: str, dead: bool) -> QueueDepth:
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        answer = await call(
            "looking at a queue", lambda: self._sqs().get_queue_attributes(QueueUrl=url, AttributeNames=names)
        )
        waiting, in_flight, delayed = (int(answer.get("Attributes", {}).get(attribute, 0)) for attribute in names)
        return QueueDepth(name=name, waiting=waiting, in_flight=in_flight, delayed=delayed, dead=dead)


def batches(messages: Sequence[tuple[int, Outgoing]]) -> list[list[tuple[int, Outgoing]]]:
    """Cut into calls SQS takes, in order.

    10 messages and 1 MiB at the most; a larger message goes alone, to be turned down alone.
    """
    cut: list[list[tuple[int, Outgoing]]] = []
    room = 0
    for place, message in messages:
        size = len(message.body.encode())
        if not cut or len(cut[-1]) == BATCH or size > room:
            cut.append([])
            room = BATCH_BYTES
        cut[-1].append((place, message))
        room -= size
    return cut


def _entry(place: int, message: Outgoing) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "Id": str(place),
        "MessageBody": message.body,
        "DelaySeconds": max(0, min(message.delay_seconds, MAX_DELAY)),
    }
    return {**entry, "MessageGroupId": message.group} if message.group else entry
