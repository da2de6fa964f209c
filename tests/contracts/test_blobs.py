"""What every object store must do: in memory, moto and MiniStack alike."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from shared.adapters.memory.blobs import MemoryBlobs
from shared.adapters.memory.clock import ManualClock
from shared.domain.documents import extracted_key, upload_key
from shared.domain.errors import NotFound, Refused
from shared.ports.blobs import Blobs, Bucket, UploadForm
from tests.fixtures.aws import AwsBlobs, new_blobs

ONE, OTHER = UUID(int=1), UUID(int=2)
DOCUMENT = UUID(int=7)
KEY = upload_key(ONE, DOCUMENT, 1)
PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Subject:
    """A store, and what only a test may do to it."""

    blobs: Blobs
    post: Callable[[UploadForm, Mapping[str, str], bytes], bool]
    mark_deleted: Callable[[str], None]


@pytest.fixture(params=["memory", "moto", "ministack"])
def subject(request: pytest.FixtureRequest) -> Subject:
    if request.param == "memory":
        blobs = MemoryBlobs(ManualClock(datetime.now(UTC)))

        def post(_: UploadForm, fields: Mapping[str, str], body: bytes) -> bool:
            try:
                blobs.post(fields, body)
            except Refused:
                return False
            return True

        return Subject(blobs, post, blobs.mark_deleted)
    made: AwsBlobs = new_blobs(request.getfixturevalue(f"{request.param}_clients"))
    return Subject(
        made.blobs,
        lambda form, fields, body: httpx.post(form.url, data=dict(fields), files={"file": ("x", body)}).is_success,
        lambda key: made.s3.delete_object(Bucket=made.uploads, Key=key),
    )


async def upload(subject: Subject, key: str, body: bytes = b"hello") -> str:
    form = await subject.blobs.upload_form(key, max_bytes=100, seconds=60, content_type=PDF)
    assert subject.post(form, form.fields, body)
    return (await subject.blobs.head(Bucket.UPLOADS, key)).version_id


async def test_put_then_get_gives_the_bytes_back(subject: Subject) -> None:
    body = bytes(range(256)) * 40
    version = await subject.blobs.put(Bucket.WORK, "extracted/x.json", body, content_type="application/json")
    assert version == ""
    assert await subject.blobs.get(Bucket.WORK, "extracted/x.json") == body
    info = await subject.blobs.head(Bucket.WORK, "extracted/x.json")
    assert (info.size, info.version_id, info.content_type) == (len(body), "", "application/json")


async def test_put_empty_body_is_an_object(subject: Subject) -> None:
    await subject.blobs.put(Bucket.WORK, "extracted/x.json", b"", content_type="application/json")
    assert await subject.blobs.get(Bucket.WORK, "extracted/x.json") == b""


async def test_put_again_in_a_versioned_bucket_keeps_the_first_version(subject: Subject) -> None:
    first = await subject.blobs.put(Bucket.UPLOADS, KEY, b"first", content_type=PDF)
    second = await subject.blobs.put(Bucket.UPLOADS, KEY, b"second!", content_type=PDF)
    assert len({first, second, ""}) == 3
    assert await subject.blobs.get(Bucket.UPLOADS, KEY) == b"second!"
    assert await subject.blobs.get(Bucket.UPLOADS, KEY, version_id=first) == b"first"
    assert (await subject.blobs.head(Bucket.UPLOADS, KEY, version_id=first)).size == 5
    assert (await subject.blobs.head(Bucket.UPLOADS, KEY)).version_id == second


async def test_put_again_in_an_unversioned_bucket_replaces(subject: Subject) -> None:
    for body in (b"first", b"second"):
        await subject.blobs.put(Bucket.WORK, "extracted/x.json", body, content_type="application/json")
    assert await subject.blobs.get(Bucket.WORK, "extracted/x.json") == b"second"


async def test_get_missing_object_is_not_found(subject: Subject) -> None:
    version = await subject.blobs.put(Bucket.UPLOADS, KEY, b"x", content_type=PDF)
    for key, asked in (
        (upload_key(OTHER, DOCUMENT, 1), ""),
        (upload_key(OTHER, DOCUMENT, 1), version),
        (KEY, f"{version}x"),
    ):
        with pytest.raises(NotFound):
            await subject.blobs.get(Bucket.UPLOADS, key, version_id=asked)
        with pytest.raises(NotFound):
            await subject.blobs.head(Bucket.UPLOADS, key, version_id=asked)


async def test_get_deleted_object_is_not_found_but_its_versions_are_there(subject: Subject) -> None:
    version = await subject.blobs.put(Bucket.UPLOADS, KEY, b"x", content_type=PDF)
    subject.mark_deleted(KEY)
    with pytest.raises(NotFound):
        await subject.blobs.get(Bucket.UPLOADS, KEY)
    with pytest.raises(NotFound):
        await subject.blobs.head(Bucket.UPLOADS, KEY)
    assert await subject.blobs.get(Bucket.UPLOADS, KEY, version_id=version) == b"x"


async def test_buckets_are_apart(subject: Subject) -> None:
    await subject.blobs.put(Bucket.UPLOADS, KEY, b"x", content_type=PDF)
    with pytest.raises(NotFound):
        await subject.blobs.get(Bucket.WORK, KEY)


async def test_upload_form_used_as_given_stores_the_file(subject: Subject) -> None:
    before = datetime.now(UTC)
    form = await subject.blobs.upload_form(KEY, max_bytes=5, seconds=60, content_type=PDF)
    assert form.max_bytes == 5
    assert timedelta(seconds=58) < form.expires_at - before < timedelta(seconds=90)
    assert subject.post(form, form.fields, b"hello")
    info = await subject.blobs.head(Bucket.UPLOADS, KEY)
    assert (info.size, info.content_type) == (5, PDF)
    assert await subject.blobs.get(Bucket.UPLOADS, KEY, version_id=info.version_id) == b"hello"


async def test_upload_form_empty_file_is_let_in(subject: Subject) -> None:
    form = await subject.blobs.upload_form(KEY, max_bytes=5, seconds=60, content_type=PDF)
    assert subject.post(form, form.fields, b"")
    assert (await subject.blobs.head(Bucket.UPLOADS, KEY)).size == 0


# moto stores whatever is posted.
@pytest.mark.parametrize("subject", ["memory", "ministack"], indirect=True)
@pytest.mark.parametrize(
    ("changed", "body"),
    [
        ({}, b"123456"),
        ({"key": upload_key(OTHER, DOCUMENT, 1)}, b"12345"),
        ({"key": f"{KEY}0"}, b"12345"),
        ({"Content-Type": "text/html"}, b"12345"),
        ({"policy": "e30="}, b"12345"),
    ],
    ids=["too large", "another tenant's key", "a longer key", "another type", "another policy"],
)
async def test_upload_form_used_otherwise_stores_nothing(
    subject: Subject, changed: dict[str, str], body: bytes
) -> None:
    form = await subject.blobs.upload_form(KEY, max_bytes=5, seconds=60, content_type=PDF)
    assert not subject.post(form, {**form.fields, **changed}, body)
    for key in (KEY, str(changed.get("key", KEY))):
        with pytest.raises(NotFound):
            await subject.blobs.head(Bucket.UPLOADS, key)


@pytest.mark.parametrize(("max_bytes", "seconds"), [(0, 60), (10, 0), (10, 901)])
async def test_upload_form_outside_its_limits_is_refused(subject: Subject, max_bytes: int, seconds: int) -> None:
    with pytest.raises(ValueError, match=r"upload form|presigned"):
        await subject.blobs.upload_form(KEY, max_bytes=max_bytes, seconds=seconds, content_type=PDF)


async def test_download_url_names_version_and_expiry(subject: Subject) -> None:
    version = await upload(subject, KEY)
    url = await subject.blobs.download_url(
        Bucket.UPLOADS, KEY, version_id=version, seconds=60, file_name="Zürich.pdf", content_type=PDF
    )
    parts = urlsplit(url)
    assert parts.path.endswith(KEY) or KEY in url
    assert parse_qs(parts.query)["versionId"] == [version]
    with pytest.raises(ValueError, match="presigned"):
        await subject.blobs.download_url(
            Bucket.UPLOADS, KEY, version_id=version, seconds=3600, file_name="a", content_type=PDF
        )


async def test_delete_prefix_removes_versions_and_markers_of_one_document_only(subject: Subject) -> None:
    for generation in (1, 2, 10):
        await subject.blobs.put(Bucket.UPLOADS, upload_key(ONE, DOCUMENT, generation), b"a", content_type=PDF)
        await subject.blobs.put(Bucket.UPLOADS, upload_key(ONE, DOCUMENT, generation), b"b", content_type=PDF)
    subject.mark_deleted(upload_key(ONE, DOCUMENT, 2))
    others = [upload_key(OTHER, DOCUMENT, 1), upload_key(ONE, UUID(int=70), 1)]
    for key in others:
        await subject.blobs.put(Bucket.UPLOADS, key, b"theirs", content_type=PDF)
    prefix = f"{ONE}/{DOCUMENT}/"
    assert await subject.blobs.count_prefix(Bucket.UPLOADS, prefix) == 7
    assert await subject.blobs.delete_prefix(Bucket.UPLOADS, prefix) == 7
    assert await subject.blobs.count_prefix(Bucket.UPLOADS, prefix) == 0
    assert await subject.blobs.delete_prefix(Bucket.UPLOADS, prefix) == 0
    for key in others:
        assert await subject.blobs.get(Bucket.UPLOADS, key) == b"theirs"


async def test_delete_prefix_of_one_object_leaves_longer_keys(subject: Subject) -> None:
    for generation in (1, 10):
        key = extracted_key(ONE, DOCUMENT, generation).removesuffix(".json")
        await subject.blobs.put(Bucket.WORK, key, b"{}", content_type="application/json")
    first = f"extracted/{ONE}/{DOCUMENT}/1"
    assert await subject.blobs.count_prefix(Bucket.WORK, first) == 1
    assert await subject.blobs.delete_prefix(Bucket.WORK, first) == 1
    assert await subject.blobs.get(Bucket.WORK, f"{first}0") == b"{}"


@pytest.mark.parametrize(
    "prefix", ["", "/", f"{ONE}/", f"{ONE}", "extracted/", f"extracted/{ONE}/", f"/{ONE}//", "*", f"{ONE}/{DOCUMENT}"]
)
async def test_delete_prefix_wider_than_a_document_is_refused(subject: Subject, prefix: str) -> None:
    await subject.blobs.put(Bucket.UPLOADS, KEY, b"x", content_type=PDF)
    with pytest.raises(ValueError, match="one tenant and one document"):
        await subject.blobs.delete_prefix(Bucket.UPLOADS, prefix)
    with pytest.raises(ValueError, match="one tenant and one document"):
        await subject.blobs.count_prefix(Bucket.UPLOADS, prefix)
    assert await subject.blobs.get(Bucket.UPLOADS, KEY) == b"x"


async def test_ping_existing_buckets_answers(subject: Subject) -> None:
    await subject.blobs.ping()


async def test_created_record_names_what_s3_names() -> None:
    blobs = MemoryBlobs(ManualClock(), uploads_bucket="u")
    form = await blobs.upload_form(KEY, max_bytes=100, seconds=60, content_type=PDF)
    first, second = blobs.post(form.fields, b"one"), blobs.post(form.fields, b"three")
    assert (first.bucket, first.key, first.size, second.size) == ("u", KEY, 3, 5)
    assert first.version_id != second.version_id
    assert re.fullmatch(r"[0-9A-F]{16,}", first.sequencer)
    assert first.sequencer < second.sequencer
    assert blobs.created(KEY, version_id=first.version_id) == first
    assert blobs.created(KEY) == second


async def test_post_after_the_forms_life_is_refused() -> None:
    clock = ManualClock()
    blobs = MemoryBlobs(clock)
    form = await blobs.upload_form(KEY, max_bytes=100, seconds=60, content_type=PDF)
    clock.advance(60)
    with pytest.raises(Refused):
        blobs.post(form.fields, b"late")


async def test_listed_goes_through_one_tenants_keys_in_order(subject: Subject) -> None:
    documents = [UUID(int=number) for number in range(20, 25)]
    for document_id in documents:
        await upload(subject, upload_key(ONE, document_id, 1))
    await upload(subject, upload_key(ONE, documents[0], 1), b"again")
    subject.mark_deleted(upload_key(ONE, documents[1], 1))
    await upload(subject, upload_key(OTHER, documents[0], 1))
    seen: list[str] = []
    pages, place = 0, ""
    while pages == 0 or place:
        page, place = await subject.blobs.listed(Bucket.UPLOADS, f"{ONE}/", after=place, limit=2)
        assert len(page) <= 2
        assert all(abs((one.at - datetime.now(UTC)).total_seconds()) < 600 for one in page)
        seen += [one.key for one in page]
        pages += 1
    assert list(dict.fromkeys(seen)) == [upload_key(ONE, document_id, 1) for document_id in documents]
    assert pages <= 5


@pytest.mark.parametrize("prefix", ["", "extracted/", "extracted", str(ONE)])
async def test_listed_wider_than_a_tenant_is_refused(subject: Subject, prefix: str) -> None:
    with pytest.raises(ValueError, match="one tenant"):
        await subject.blobs.listed(Bucket.WORK, prefix, after="", limit=2)
