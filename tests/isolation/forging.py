"""Forged messages and events: what a queue or a bucket brings names ids, and some of them are somebody else's.

Nobody outside writes to these queues. If somebody did, or if one of ours took one tenant for another, a message of
which one part is one owner's and one part another's must come to nothing.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from shared.domain.events import Queue
from shared.ports.blobs import Bucket
from shared.runtime.invocation import run
from tests.functions.gateway import records
from tests.functions.texts import LEAVE
from tests.functions.world import by_bucket
from tests.isolation.town import DEFAULT, HOUSES, NEXT_DOOR, SECRET, Room, Town
from tests.isolation.witness import ID

NOT_READ = {(Queue.INGEST_EXTRACT.value, '"project_id":"')}
"""What a function has no use for: with another project's id there its message says the same."""


@dataclass
class Forgeries:
    """What came of them."""

    tried: Counter[str] = field(default_factory=Counter)
    """By function."""
    worked: Counter[str] = field(default_factory=Counter)
    """Messages as they were that did something, by function: what the forged ones are held against."""
    faults: list[str] = field(default_factory=list)


class Forger:
    """Lets an owner's work go through every queue, and forges each message before it is delivered."""

    def __init__(self, town: Town, house: str = HOUSES[0]) -> None:
        """Args:
        town: with everything in it.
        house: whose owner works.
        """
        self.town, self.world = town, town.world
        self.room = town.houses[house].rooms[DEFAULT]
        neighbour = HOUSES[(HOUSES.index(house) + 1) % len(HOUSES)]
        self.strangers = (town.houses[neighbour].rooms[DEFAULT], town.houses[house].rooms[NEXT_DOOR])
        self.found = Forgeries()

    def run(self) -> Forgeries:
        """Upload, cancel, deliver and delete, each message forged in every way and then delivered."""
        return self._done(self._upload, self._steer, self._tell, self._delete)

    def upload(self) -> Forgeries:
        """The same with one upload alone."""
        return self._done(self._upload)

    def _done(self, *acts: Callable[[], None]) -> Forgeries:
        with self.town.store.rehearsal():
            for act in acts:
                act()
                self._settled()
        for lane in self.world.queue._lanes.values():
            lane.live.clear()
        self.world.blobs.notifications.clear()
        self.town.witness.excuse()
        return self.found

    # What the owner does.

    def _upload(self) -> None:
        client, names = self.room.client, self.room.names
        client.upload(names["collection_id"], LEAVE + self.room.word, "forged.txt")

    def _steer(self) -> None:
        ingestion = self.room.names["open_ingestion_id"]
        self.room.client.upload(self.room.names["collection_id"], LEAVE, "steered.txt", ingestion_id=ingestion)
        assert self.room.client.post(f"/ingestions/{ingestion}/cancel").status == 202

    def _tell(self) -> None:
        names = self.room.names
        path = f"/webhooks/{names['webhook_id']}/deliveries/{names['delivery_id']}/redeliver"
        assert self.room.client.post(path).status == 202

    def _delete(self) -> None:
        assert self.room.client.delete(f"/documents/{self.room.names['document_id']}").status == 202
        assert self.room.client.delete(f"/collections/{self.room.names['collection_id']}").status == 202

    # What becomes of it.

    def _settled(self) -> None:
        for _ in range(100):
            body = self._next()
            if body is None:
                return
            function, text = body
            self._forged(function, text)
            before = self._state(), self._objects()
            self._call(function, text)
            self.found.worked[function] += (self._state(), self._objects()) != before
        raise AssertionError("the owner's work does not come to an end")

    def _next(self) -> tuple[str, str] | None:
        """A message or an event that waits, taken out."""
        # What was asked for comes before what it is about.
        for name, lane in self.world.queue._lanes.items():
            for queued in lane.live:
                if queued.visible_at <= self.world.clock.now():
                    lane.live.remove(queued)
                    return name.value, queued.message.body
        if not self.world.blobs.notifications:
            return None
        body = self.world.blobs.notifications.pop(0)
        (queue,) = by_bucket([body])
        return queue.value, body

    def _forged(self, function: str, text: str) -> None:
        others = self.strangers if self.found.tried[function] == 0 else self.strangers[:1]
        for other in others:
            for forged in forgeries(function, text, self._exchange(text, other)):
                self.found.tried[function] += 1
                self.found.faults += [f"{function}: {fault}\n    {forged}" for fault in self._judged(function, forged)]

    def _exchange(self, text: str, other: Room) -> Mapping[str, str]:
        """The stranger's id for each of the owner's in a message."""
        mine = {id: name for name, id in self.room.names.items()}
        # What was just made is a document, or the receipt of one.
        made = "receipt_id" if '"receipt_id"' in text else "document_id"
        return {id: other.names[mine.get(id, made)] for id in set(ID.findall(text))}

    def _judged(self, function: str, forged: str) -> list[str]:
        before, objects = self._state(), self._objects()
        self._call(function, forged)
        # What a function without a database wrote is taken up by the next.
        for body in [self.world.blobs.notifications.pop() for _ in self._objects().keys() - objects.keys()]:
            (queue,) = by_bucket([body])
            self._call(queue.value, body)
        after, written = self._state(), self._objects()
        faults = [] if after == before else [f"something changed or was sent: {before} -> {after}"]
        texts = [body for place, body in written.items() if place not in objects and SECRET.encode() in (body or b"")]
        return [*faults, *(f"a text was written: {body!r}" for body in texts)]

    def _call(self, function: str, text: str) -> None:
        self.world.call(function, records([text], function))

    def _state(self) -> tuple[Any, ...]:
        """Every row of both tenants, and what waits to be sent or was."""
        tenants = dict.fromkeys(room.client.tenant_id for room in (self.room, *self.strangers))
        rows = [run(self.town.store.line.asked("SELECT witness_digest(%s)", [tenant])) for tenant in tenants]
        queued = sum(len(lane.live) + len(lane.dead) for lane in self.world.queue._lanes.values())
        return *rows, queued, len(self.world.mailer.sent), len(self.world.egress.posts)

    def _objects(self) -> dict[tuple[Bucket, str], bytes | None]:
        return {(bucket, key): body for bucket in Bucket for key, body in self.world.blobs.contents(bucket).items()}


def forgeries(function: str, text: str, exchange: Mapping[str, str]) -> Iterator[str]:
    """A message with some of its ids exchanged, and never all of them: that would be the stranger's own message."""
    places = [
        (found.start(), exchange[found.group()])
        for found in ID.finditer(text)
        if exchange[found.group()] != found.group()
        and not any(function == name and text[: found.start()].endswith(before) for name, before in NOT_READ)
    ]
    made: set[str] = set()
    for count in range(1, len(places)):
        for chosen in combinations(places, count):
            forged = text
            for start, id in chosen:
                forged = forged[:start] + id + forged[start + len(id) :]
            if forged not in made and json.loads(forged):
                made.add(forged)
                yield forged
