"""Long files: read in parts that survive their readers, gone on with where the last one stopped."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared import bootstrap
from shared.adapters.files.limits import CageLimits
from shared.adapters.files.reader import CagedFilesReader
from shared.domain.documents import GenerationState, Progress, extracted_key
from shared.domain.errors import Unavailable
from shared.domain.events import Queue
from shared.domain.extracted import Extracted
from shared.domain.extracted_json import to_json
from shared.domain.parts import Part, checkpoint_key, parts_prefix
from shared.ports.blobs import FORBIDDEN, Bucket
from shared.runtime.invocation import run
from shared.usecases.ingest.extract import extract
from tests.adapters.files.making import read
from tests.fixtures.long_pdf import long_pdf
from tests.functions.gateway import records
from tests.functions.messages import extract_message
from tests.functions.world import Client, World

PAGES = 120
FILE = long_pdf(PAGES)
STEP = 25


class Killed(BaseException):
    """The process is gone: nothing after this line happens."""


class CountedReader(CagedFilesReader):
    """The real reader; remembers where each part began, and dies when told to."""

    def __init__(self, pages: int) -> None:
        super().__init__(CageLimits(part_pages=pages))
        self.began: list[int] = []
        self.assembled = 0
        self.die_at: int | None = None

    def read_on(
        self, source: Path, *, name: str, declared_type: str, after: int = 0, characters: int = 0
    ) -> Extracted | Part:
        self.began.append(after)
        if self.die_at == after:
            self.die_at = None
            raise Killed
        return super().read_on(source, name=name, declared_type=declared_type, after=after, characters=characters)

    def assemble(self, source: Path, *, name: str, declared_type: str, parts: Sequence[bytes]) -> Extracted:
        self.assembled += 1
        return super().assemble(source, name=name, declared_type=declared_type, parts=parts)


@pytest.fixture
def reader(world: World) -> Iterator[CountedReader]:
    made = CountedReader(STEP)
    with bootstrap.override(reader=made):
        yield made
    made.close()


@pytest.fixture(scope="module")
def whole() -> bytes:
    """The text of the file, read in one go."""
    return in_one_go(FILE)


def in_one_go(data: bytes) -> bytes:
    return to_json(read(data, "report.pdf"))


def uploaded(world: World, client: Client, collection: str, data: bytes = FILE) -> str:
    document = client.upload(collection, data, "report.pdf", media_type="application/pdf")
    world.notify()
    return document


def text_of(world: World, client: Client, document: str, number: int = 1) -> bytes:
    return run(world.blobs.get(Bucket.WORK, extracted_key(client.tenant_id, UUID(document), number)))


def parts_of(world: World) -> list[str]:
    return [key for key in world.blobs.keys(Bucket.WORK) if key.startswith("parts/")]


def work(world: World, seconds: int = 30) -> None:
    """One delivery to the reader, with so much time left in its function, and the events it causes."""
    (handed,) = world.queue.receive(Queue.INGEST_EXTRACT, 1)
    event = records([handed.message.body], "ingest_extract")
    assert world.call("ingest_extract", event, milliseconds=seconds * 1000) == {"batchItemFailures": []}
    world.queue.done(handed)
    world.notify()


def latest(client: Client, document: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/documents/{document}").json["latest"]
    return found


def test_two_thousand_pages_are_read_across_functions_that_run_out_of_time(
    world: World, api_client: Client, collection: str
) -> None:
    data = long_pdf(2_000, lines=1)
    reader = CountedReader(250)
    with bootstrap.override(reader=reader):
        document = uploaded(world, api_client, collection, data)
        for turn in range(1, 9):
            work(world)
            assert latest(api_client, document)["progress"] == {"done": turn * 250, "total": 2_000}
            assert latest(api_client, document)["attempts"] == 0
        assert "page 2,000 of 2,000" in api_client.get(f"/documents/{document}/why").json["summary"]
        world.settle()
    reader.close()
    # Each page was read once, by the function whose turn it was; none began again.
    assert reader.began == [turn * 250 for turn in range(8)]
    assert reader.assembled == 1
    found = api_client.get(f"/documents/{document}").json
    assert (found["status"], found["latest"]["counts"]["pages"]) == ("indexed", 2_000)
    assert text_of(world, api_client, document) == in_one_go(data)
    assert parts_of(world) == []


def test_file_is_read_by_one_function_that_has_time(
    world: World, api_client: Client, collection: str, reader: CountedReader, whole: bytes
) -> None:
    document = uploaded(world, api_client, collection)
    work(world, seconds=290)
    assert reader.began == [0, 25, 50, 75, 100]
    assert world.queue.waiting(Queue.INGEST_EXTRACT) == []
    world.settle()
    assert text_of(world, api_client, document) == whole
    assert parts_of(world) == []


def test_killed_reader_is_followed_by_one_that_goes_on_from_the_last_part(
    world: World, api_client: Client, collection: str, reader: CountedReader, whole: bytes
) -> None:
    document = uploaded(world, api_client, collection)
    reader.die_at = 75
    (handed,) = world.queue.receive(Queue.INGEST_EXTRACT, 1)
    event = records([handed.message.body], "ingest_extract")
    with pytest.raises(Killed):
        world.call("ingest_extract", event, milliseconds=290_000)
    assert reader.began == [0, 25, 50, 75]
    # Its message comes again.
    world.pass_time(60)
    assert reader.began == [0, 25, 50, 75, 75, 100]
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert text_of(world, api_client, document) == whole


def test_killed_reader_whose_message_is_lost_too_is_followed_after_the_sweep(
    world: World, api_client: Client, collection: str, reader: CountedReader, whole: bytes
) -> None:
    document = uploaded(world, api_client, collection)
    reader.die_at = 50
    (handed,) = world.queue.receive(Queue.INGEST_EXTRACT, 1)
    with pytest.raises(Killed):
        world.call("ingest_extract", records([handed.message.body], "q"), milliseconds=290_000)
    world.queue.done(handed)
    world.notify()
    world.clock.advance(700)
    world.sweep()
    assert reader.began == [0, 25, 50, 50, 75, 100]
    assert text_of(world, api_client, document) == whole


@pytest.mark.parametrize("late", [False, True])
def test_killed_reader_whose_message_and_events_are_lost_is_followed_after_one_sweep(
    world: World, api_client: Client, collection: str, reader: CountedReader, whole: bytes, late: bool
) -> None:
    document = uploaded(world, api_client, collection)
    reader.die_at = 50
    (handed,) = world.queue.receive(Queue.INGEST_EXTRACT, 1)
    with pytest.raises(Killed):
        world.call("ingest_extract", records([handed.message.body], "q"), milliseconds=290_000)
    world.queue.done(handed)
    told, world.blobs.notifications = world.blobs.notifications, []
    if late:
        # The event of the first part comes minutes after its reader died: news, but not of anyone who still lives.
        world.clock.advance(400)
        world.notify(told[:1])
    world.clock.advance(500)
    assert world.call("sweep", {}) is None
    assert latest(api_client, document)["progress"] == {"done": 50, "total": PAGES}
    assert len(world.queue.waiting(Queue.INGEST_EXTRACT)) == 1
    world.settle()
    assert reader.began == [0, 25, 50, 50, 75, 100]
    assert text_of(world, api_client, document) == whole


def test_living_reader_is_never_given_up_while_parts_grow(
    world: World, api_client: Client, collection: str, reader: CountedReader
) -> None:
    document = uploaded(world, api_client, collection)
    for turn in range(1, 5):
        work(world)
        # Far longer in all than a step may go without a sign of life, but there was one each time.
        world.clock.advance(400)
        assert world.call("sweep", {}) is None
        assert (latest(api_client, document)["attempts"], len(reader.began)) == (0, turn)
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_parts_whose_events_are_lost_are_found_by_the_sweep_and_count_as_life(
    world: World, api_client: Client, collection: str, reader: CountedReader
) -> None:
    document = uploaded(world, api_client, collection)
    (handed,) = world.queue.receive(Queue.INGEST_EXTRACT, 1)
    world.call("ingest_extract", records([handed.message.body], "q"), milliseconds=30_000)
    world.queue.done(handed)
    world.blobs.notifications.clear()
    world.clock.advance(700)
    assert world.call("sweep", {}) is None
    # The note that another is to go on was found, too.
    assert latest(api_client, document)["progress"] == {"done": 25, "total": PAGES}
    assert latest(api_client, document)["attempts"] == 0
    assert len(world.queue.waiting(Queue.INGEST_EXTRACT)) == 1
    world.settle()
    assert reader.began == [0, 25, 50, 75, 100]


def test_reader_without_a_sign_of_life_is_given_up_in_the_end_and_its_parts_go(
    world: World, api_client: Client, collection: str, reader: CountedReader
) -> None:
    document = uploaded(world, api_client, collection)
    work(world)
    for _ in range(6):
        for handed in world.queue.receive(Queue.INGEST_EXTRACT):
            world.queue.done(handed)
        world.minutes(12, settling=False)
    assert latest(api_client, document)["failure"]["code"] == "gave_up"
    world.settle()
    assert parts_of(world) == []


def test_two_readers_at_once_write_the_same(
    world: World, api_client: Client, collection: str, reader: CountedReader, whole: bytes
) -> None:
    document = uploaded(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_EXTRACT)]
    asked = extract_message(message)

    async def both() -> None:
        left = iter([30.0, 300.0] * 50)
        await asyncio.gather(*(extract(bootstrap.powers(), asked, lambda: next(left)) for _ in range(2)))

    run(both())
    world.settle()
    assert text_of(world, api_client, document) == whole
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert parts_of(world) == []


def test_events_of_parts_twice_and_in_any_order_send_one_on(
    world: World, api_client: Client, collection: str, reader: CountedReader
) -> None:
    document = uploaded(world, api_client, collection)
    told: list[str] = []
    for _ in range(3):
        (handed,) = world.queue.receive(Queue.INGEST_EXTRACT, 1)
        world.call("ingest_extract", records([handed.message.body], "q"), milliseconds=30_000)
        world.queue.done(handed)
        new, world.blobs.notifications = world.blobs.notifications, []
        told += new
        assert world.notify(list(reversed(new)) + new + told) == []
        assert len(world.queue.waiting(Queue.INGEST_EXTRACT)) == 1
    assert world.generation(api_client, document).progress == Progress(75, PAGES, 75)
    world.settle()
    assert world.notify(told) == []
    assert world.generation(api_client, document).state is GenerationState.COMMITTED
    assert world.queue.waiting(Queue.INGEST_EXTRACT) == []


def test_document_deleted_half_way_is_read_no_further_and_leaves_nothing(
    world: World, api_client: Client, collection: str, reader: CountedReader
) -> None:
    document = uploaded(world, api_client, collection)
    work(world)
    assert parts_of(world)
    (handed,) = world.queue.receive(Queue.INGEST_EXTRACT, 1)
    api_client.delete(f"/documents/{document}")
    world.settle()
    assert api_client.get(f"/documents/{document}/receipt").json["complete"] is True
    assert parts_of(world) == []
    # A reader that was under way writes after the sweep: what it leaves is swept again.
    world.blobs.failures.clear()
    world.call("ingest_extract", records([handed.message.body], "q"))
    world.settle()
    assert world.blobs.keys(Bucket.WORK) == []


@pytest.mark.parametrize("left", [b"", b"{}", b"null", b'{"reader": "files/1", "ranges": [[5, 9]]}'])
def test_checkpoint_that_makes_no_sense_is_passed_over(
    left: bytes, world: World, api_client: Client, collection: str, reader: CountedReader, whole: bytes
) -> None:
    document = uploaded(world, api_client, collection)
    key = checkpoint_key(parts_prefix(api_client.tenant_id, UUID(document), 1))
    run(world.blobs.put(Bucket.WORK, key, left, content_type="application/json"))
    world.settle()
    assert reader.began == [0, 25, 50, 75, 100]
    assert text_of(world, api_client, document) == whole


def test_parts_of_another_reader_version_are_passed_over(
    world: World, api_client: Client, collection: str, reader: CountedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded(world, api_client, collection)
    work(world)
    monkeypatch.setattr("shared.usecases.ingest.extract.READER_VERSION", "files/next")
    work(world)
    assert reader.began == [0, 0]


def test_checkpoint_that_may_not_be_known_to_be_missing_begins_at_the_first_page(
    world: World, api_client: Client, collection: str, reader: CountedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded(world, api_client, collection)
    get = world.blobs.get

    async def forbidden(bucket: Bucket, key: str, *, version_id: str = "") -> bytes:
        if key.endswith("checkpoint.json"):
            raise Unavailable("reading an object failed: AccessDenied (403)", code=FORBIDDEN)
        return await get(bucket, key, version_id=version_id)

    monkeypatch.setattr(world.blobs, "get", forbidden)
    world.settle()
    assert reader.began[0] == 0


def test_file_that_takes_too_long_in_all_is_failed_with_the_reason(
    world: World, api_client: Client, collection: str, reader: CountedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = uploaded(world, api_client, collection)
    seconds = iter(range(0, 1_000_000, 700))
    monkeypatch.setattr(world.clock, "monotonic", lambda: float(next(seconds)))
    world.settle()
    failure = latest(api_client, document)["failure"]
    assert (failure["code"], "30 minutes" in failure["detail"]) == ("parser_timeout", True)
    assert json.loads(text_of(world, api_client, document))["failed"]["code"] == "parser_timeout"
