"""What is particular to S3; what every object store must do is in tests/contracts."""

import base64
import json
from uuid import UUID

import httpx
import pytest

from shared.adapters.aws import blobs as module
from shared.adapters.aws.blobs import S3Blobs
from shared.adapters.aws.clients import Clients
from shared.domain.errors import Unavailable
from shared.ports.blobs import Bucket
from tests.fixtures.aws import clients_for, new_blobs

TENANT, DOCUMENT = UUID(int=1), UUID(int=2)
KEY = f"{TENANT}/{DOCUMENT}/1"


async def test_upload_form_policy_fixes_key_size_type_and_bucket(moto_clients: Clients) -> None:
    made = new_blobs(moto_clients)
    form = await made.blobs.upload_form(KEY, max_bytes=1234, seconds=900, content_type="text/html; charset=utf-8")
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    assert policy["expiration"] == form.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ["content-length-range", 0, 1234] in policy["conditions"]
    for condition in ({"key": KEY}, {"Content-Type": "text/html; charset=utf-8"}, {"bucket": made.uploads}):
        assert condition in policy["conditions"]
    assert not any("starts-with" in condition for condition in policy["conditions"])
    assert form.url.endswith(f"/{made.uploads}")


async def test_upload_form_key_with_a_placeholder_is_refused(moto_clients: Clients) -> None:
    with pytest.raises(ValueError, match="literal key"):
        await new_blobs(moto_clients).blobs.upload_form("a/${filename}", max_bytes=1, seconds=1, content_type="")


async def test_download_url_is_answered_as_an_attachment_of_no_type(moto_clients: Clients) -> None:
    made = new_blobs(moto_clients)
    first = await made.blobs.put(Bucket.UPLOADS, KEY, b"<script>", content_type="text/html")
    await made.blobs.put(Bucket.UPLOADS, KEY, b"second", content_type="text/html")
    url = await made.blobs.download_url(
        Bucket.UPLOADS, KEY, version_id=first, seconds=60, file_name='ä"\r\nX: y.html', content_type="text/html"
    )
    answer = httpx.get(url)
    assert answer.content == b"<script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert (
        answer.headers["content-disposition"]
        == "attachment; filename=\"a_X_ y.html\"; filename*=UTF-8''%C3%A4%22X_%20y.html"
    )


async def test_delete_prefix_over_several_pages_removes_all(
    moto_clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 3)
    made = new_blobs(moto_clients)
    for generation in (1, 2):
        for _ in range(4):
            await made.blobs.put(Bucket.UPLOADS, f"{TENANT}/{DOCUMENT}/{generation}", b"x", content_type="")
    prefix = f"{TENANT}/{DOCUMENT}/"
    assert await made.blobs.count_prefix(Bucket.UPLOADS, prefix) == 8
    assert await made.blobs.delete_prefix(Bucket.UPLOADS, prefix) == 8
    assert await made.blobs.count_prefix(Bucket.UPLOADS, prefix) == 0


async def test_delete_prefix_partly_refused_is_unavailable(moto_clients: Clients) -> None:
    made = new_blobs(moto_clients)
    await made.blobs.put(Bucket.UPLOADS, KEY, b"x", content_type="")
    refused = {"Errors": [{"Key": KEY, "Code": "AccessDenied", "Message": "secret words"}]}

    def refuse(**_: object) -> tuple[object, object]:
        return type("Answer", (), {"status_code": 200, "headers": {}})(), refused

    made.s3.meta.events.register("before-call.s3.DeleteObjects", refuse, unique_id="refuse")
    try:
        with pytest.raises(Unavailable, match="1 of 1 refused, first with AccessDenied") as raised:
            await made.blobs.delete_prefix(Bucket.UPLOADS, f"{TENANT}/{DOCUMENT}/")
    finally:
        made.s3.meta.events.unregister("before-call.s3.DeleteObjects", unique_id="refuse")
    assert "secret words" not in str(raised.value)


async def test_ping_missing_bucket_is_unavailable_not_missing(moto_clients: Clients) -> None:
    made = new_blobs(moto_clients)
    with pytest.raises(Unavailable):
        await S3Blobs("no-such-bucket", made.work, moto_clients).get(Bucket.UPLOADS, KEY)
    with pytest.raises(Unavailable):
        await S3Blobs("no-such-bucket", made.work, moto_clients).ping()


async def test_get_without_a_configured_bucket_says_so() -> None:
    with pytest.raises(Unavailable) as raised:
        await S3Blobs("", "work", clients_for("http://127.0.0.1:9")).get(Bucket.UPLOADS, KEY)
    assert raised.value.code == "not_configured"


async def test_get_nobody_there_is_unavailable_and_silent_about_the_request() -> None:
    with pytest.raises(Unavailable) as raised:
        await S3Blobs("u", "w", clients_for("http://127.0.0.1:9")).get(Bucket.UPLOADS, KEY)
    assert raised.value.detail == "reading an object failed: EndpointConnectionError"
