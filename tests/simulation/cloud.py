"""The platform between the functions: queues and their consumers, bucket events, schedules, and all they get wrong."""

import importlib
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

from shared.domain.errors import Unavailable
from shared.domain.events import Outgoing, Queue
from shared.ports.blobs import Bucket
from tests.simulation.processes import PROCESS, Crashed, Gate, Process

CONCURRENCY = 5
"""Most copies of one consumer at once."""
MAX_RECEIVES = 5


@dataclass(frozen=True, slots=True)
class Mapping:
    """A queue and its consumer, as template.yaml has them."""

    function: str
    batch: int
    timeout: float
    visibility: float
    window: float = 1.0


MAPPINGS = {
    Queue.INGEST_RECEIVE: Mapping("ingest_receive", 10, 30, 181),
    Queue.INGEST_COLLECT: Mapping("ingest_collect", 10, 30, 181),
    Queue.INGEST_EXTRACT: Mapping("ingest_extract", 1, 300, 1800, 0.0),
    Queue.INGEST_CHUNK: Mapping("ingest_chunk", 2, 120, 720, 0.0),
    Queue.INGEST_EMBED: Mapping("ingest_embed", 1, 300, 1800, 0.0),
    Queue.INGEST_PUBLISH: Mapping("ingest_publish", 5, 60, 361),
    Queue.SWEEP: Mapping("sweep", 5, 120, 721),
    Queue.STEER_INGESTION: Mapping("steer_ingestion", 1, 120, 721),
    Queue.DELIVER_WEBHOOK: Mapping("deliver_webhook", 1, 30, 180, 0.0),
}
REJECT = Mapping("ingest_reject", 10, 60, 365, 5.0)
EVERY = 60.0
"""Seconds between two calls of a scheduled function."""
TIMEOUTS = {"sweep": 120.0, "reindex": 300.0}


@dataclass(slots=True, eq=False)
class Message:
    """A message in a queue."""

    id: str
    body: str
    visible_at: float
    receives: int = 0


@dataclass(slots=True)
class Lane:
    """A queue with its consumer."""

    name: str
    mapping: Mapping
    dead: "Lane | None" = None
    messages: list[Message] = field(default_factory=list)
    running: int = 0

    @property
    def arn(self) -> str:
        """How records name their queue."""
        words = "".join(word.capitalize() for word in self.name.split("_"))
        return f"arn:aws:sqs:eu-central-1:123456789012:stack-{words}Queue"


class Invocation:
    """Implements `shared.runtime.invocation.LambdaContext` on the virtual clock."""

    def __init__(self, gate: Gate, process: Process, ends: float) -> None:
        self._gate = gate
        self._ends = ends
        self.aws_request_id = f"request-{process.number}"
        self.function_name = process.function

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends - self._gate.loop.time()) * 1000))


class Cloud:
    """Delivers messages and events to the functions, and calls schedules."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.loop = gate.loop
        self.faults = gate.faults
        self.chance = gate.faults.chance
        self.lanes: dict[str, Lane] = {}
        for queue, mapping in MAPPINGS.items():
            dead = Lane(f"{queue.value}_dead", REJECT)
            self.lanes[dead.name] = dead
            self.lanes[queue.value] = Lane(queue.value, mapping, dead)
        self.crashed: list[tuple[str, BaseException]] = []
        """Functions that ended with an error of their own instead of an answer."""
        self.ended: list[Callable[[Process], None]] = []
        """Told of every process that is over, however it ended."""
        self.alive: set[Process] = set()
        self._count = 0

    # Messages in.

    def deliver(self, message: Outgoing) -> None:
        """A message was sent: once, or twice, now or later."""
        self._put(self.lanes[message.queue.value], message.body, float(message.delay_seconds))
        if self.faults.strikes("message_duplicated", self.loop.time(), harm=0):
            later = self.chance.choice((0.5, 10.0, 300.0)) * self.chance.random()
            self._put(self.lanes[message.queue.value], message.body, message.delay_seconds + later)

    def notify(self, bucket: Bucket, body: str, sure: bool) -> None:
        """A bucket tells of an object: once, or more than once, late, or never.

        Of some it tells for sure: a second upload to the same place, and what comes in for a deleted document. Without
        its event nothing shows that it is there.
        """
        queue = Queue.INGEST_COLLECT if bucket is Bucket.WORK else Queue.INGEST_RECEIVE
        now, lane = self.loop.time(), self.lanes[queue]
        if not sure and self.faults.strikes("s3_event_lost", now):
            return
        late = self.chance.uniform(5, 400) if self.faults.strikes("s3_event_late", now) else self.chance.uniform(0, 2)
        self._put(lane, body, late)
        while self.faults.strikes("s3_event_duplicated", now, harm=0):
            self._put(lane, body, self.chance.choice((0.5, 20.0, 400.0)) * self.chance.random())

    def _put(self, lane: Lane, body: str, delay: float) -> None:
        now = self.loop.time()
        if self.faults.strikes("message_late", now):
            delay += self.chance.uniform(5, 300)
        self.faults.lasting(now + delay if delay > 10 else 0.0)
        self._count += 1
        message = Message(f"m{self._count}", body, now + delay)
        lane.messages.append(message)
        self._look(lane, message)

    def _look(self, lane: Lane, message: Message) -> None:
        wait = self.chance.uniform(0, lane.mapping.window + 0.1)
        self.loop.call_at(message.visible_at + wait, self._poll, lane)

    # Messages out.

    def _poll(self, lane: Lane) -> None:
        if self.gate.over or lane.running >= CONCURRENCY:
            return
        now = self.loop.time()
        visible = [message for message in lane.messages if message.visible_at <= now]
        if not visible:
            return
        size = min(len(visible), self.chance.randint(1, lane.mapping.batch))
        handed = []
        for message in self.chance.sample(visible, size):
            if message.receives >= MAX_RECEIVES and lane.dead is not None:
                lane.messages.remove(message)
                self._put(lane.dead, message.body, 0.0)
                continue
            message.receives += 1
            early = self.faults.strikes("visibility_expired", now)
            message.visible_at = now + (self.chance.uniform(0, 3) if early else lane.mapping.visibility)
            self._look(lane, message)
            handed.append(message)
        if handed:
            self._invoke(lane, handed)
        if len(visible) > size:
            self._poll(lane)

    def _invoke(self, lane: Lane, handed: list[Message]) -> None:
        records = [
            {
                "messageId": message.id,
                "body": message.body,
                "attributes": {"ApproximateReceiveCount": str(message.receives)},
                "eventSource": "aws:sqs",
                "eventSourceARN": lane.arn,
            }
            for message in handed
        ]
        lane.running += 1

        def answered(process: Process, answer: Any) -> None:
            lane.running -= 1
            self._return(lane, handed, answer)
            self._poll(lane)

        timeout = lane.mapping.timeout
        if len(handed) > 1 and self.faults.strikes("record_left", self.loop.time(), harm=0):
            timeout = 5.02
        if lane.mapping.function == "ingest_extract" and self.faults.strikes("little_time", self.loop.time(), harm=0):
            timeout = 90.0
        self.call(lane.mapping.function, {"Records": records}, timeout, answered)

    def _return(self, lane: Lane, handed: list[Message], answer: Any) -> None:
        """What was worked off goes; the rest comes back when its time is up, here sometimes sooner."""
        now, failed = self.loop.time(), {message.id for message in handed}
        if answer is not None:
            failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        for message in [one for one in handed if one in lane.messages]:
            if message.id not in failed:
                lane.messages.remove(message)
            elif self.chance.random() < 0.6:
                sooner = self.chance.uniform(1, 120) if answer is None else self.chance.uniform(0, 30)
                message.visible_at = min(message.visible_at, now + sooner)
                self._look(lane, message)

    # Functions.

    def process(self, function: str) -> Process:
        """A new process, with a clock of its own."""
        self._count += 1
        skew = 0.0
        if self.faults.strikes("clock_skew", self.loop.time(), harm=0):
            skew = self.chance.choice((-1, 1)) * self.chance.choice((0.5, 5.0, 30.0))
        return Process(function, self._count, skew)

    def call(
        self, function: str, event: dict[str, Any], timeout: float, answered: Callable[[Process, Any], object]
    ) -> None:
        """Invoke a function's handler; `answered` hears what it answered, None when it died or raised."""
        handler = importlib.import_module(f"functions.{function}.app").handler
        process = self.process(function)
        invocation = Invocation(self.gate, process, self.loop.time() + timeout)
        self.alive.add(process)

        def body() -> None:
            answer = None
            try:
                answer = handler(event, invocation)
                answer = answer if answer is not None else {}
            except Crashed:
                pass
            except Unavailable as error:
                if "Records" in event:
                    self.crashed.append((function, error))
            except Exception as error:  # noqa: BLE001 - a door that raises is a finding of its own
                self.crashed.append((function, error))
            self.alive.discard(process)
            ending = answer if not process.dead else None
            for hear in self.ended:
                hear(process)
            if not self.gate.over:
                answered(process, ending)

        context = copy_context()
        context.run(PROCESS.set, process)
        self.loop.spawn(body, context)
        self.loop.call_later(timeout, self._end, process)

    def _end(self, process: Process) -> None:
        """Its time is up: the platform kills it."""
        if not process.immortal:
            process.dead = True
            for transaction in list(process.open):
                transaction.lose()

    def tick(self, function: str, answered: Callable[[Process, Any], object] = lambda *_: None) -> None:
        """A schedule calls its function; `answered` hears what it answered, None when it died or raised."""
        if not self.faults.strikes("schedule_missed", self.loop.time()):
            self.call(function, {"source": "aws.scheduler"}, TIMEOUTS[function], answered)

    # For the end of a history.

    @property
    def busy(self) -> bool:
        """Whether something is going on, or is about to."""
        now = self.loop.time()
        return bool(self.alive) or any(
            message.receives == 0 or message.visible_at <= now
            for lane in self.lanes.values()
            for message in lane.messages
        )

    def reveal(self) -> bool:
        """Let every hidden message be seen; False when there is none at all."""
        found = False
        for lane in self.lanes.values():
            for message in lane.messages:
                message.visible_at = min(message.visible_at, self.loop.time())
                self._look(lane, message)
                found = True
        return found
