"""Objects in S3."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.aws.calls import call
from shared.adapters.aws.clients import Clients, clients
from shared.adapters.aws.disposition import attachment, safe_content_type
from shared.domain.errors import Unavailable
from shared.domain.objects import deletable_prefix, tenant_prefix, under
from shared.ports.blobs import BlobInfo, Bucket, ListedBlob, UploadForm

MAX_SECONDS = 900
"""Longest life of anything presigned."""
PAGE = 1000
"""Versions S3 lists, and removes, at once."""


class S3Blobs:
    """Implements `shared.ports.blobs.Blobs`."""

    def __init__(self, uploads_bucket: str, work_bucket: str, clients: Clients | None = None) -> None:
        """Nothing is opened before the first call.

        Args:
            uploads_bucket: name of the versioned, watched bucket.
            work_bucket: name of the other.
            clients: those of the process when None.
        """
        self._buckets = {Bucket.UPLOADS: uploads_bucket, Bucket.WORK: work_bucket}
        self._clients = clients

    async def upload_form(self, key: str, *, max_bytes: int, seconds: int, content_type: str) -> UploadForm:
        """See the port. The policy fixes key, type and size; S3 refuses anything else.

        Raises:
            ValueError: a life outside 1-900 seconds, no bytes allowed, or a key with a placeholder in it.
        """
        _check_seconds(seconds)
        if max_bytes < 1 or "${" in key:
            raise ValueError("an upload form needs room for a byte and a literal key")
        signed_at = datetime.now(UTC)

        def sign() -> dict[str, Any]:
            form: dict[str, Any] = self._s3().generate_presigned_post(
                self._bucket(Bucket.UPLOADS),
                key,
                Fields={"Content-Type": content_type},
                Conditions=[["content-length-range", 0, max_bytes], {"Content-Type": content_type}],
                ExpiresIn=seconds,
            )
            return form

        form = await call("signing an upload", sign)
        return UploadForm(
            url=form["url"],
            fields=form["fields"],
            expires_at=signed_at + timedelta(seconds=seconds),
            max_bytes=max_bytes,
        )

    async def download_url(
        self, bucket: Bucket, key: str, *, version_id: str, seconds: int, file_name: str, content_type: str
    ) -> str:
        """See the port.

        Raises:
            ValueError: a life outside 1-900 seconds.
        """
        _check_seconds(seconds)
        params = {
            **self._object(bucket, key, version_id),
            "ResponseContentDisposition": attachment(file_name),
            "ResponseContentType": safe_content_type(content_type),
        }

        def sign() -> str:
            url: str = self._s3().generate_presigned_url("get_object", Params=params, ExpiresIn=seconds)
            return url

        return await call("signing a download", sign)

    async def head(self, bucket: Bucket, key: str, *, version_id: str = "") -> BlobInfo:
        """See the port."""
        named = self._object(bucket, key, version_id)
        found = await call("looking at an object", lambda: self._s3().head_object(**named), of_object=True)
        return BlobInfo(
            size=found["ContentLength"], version_id=_version(found), content_type=found.get("ContentType", "")
        )

    async def get(self, bucket: Bucket, key: str, *, version_id: str = "") -> bytes:
        """See the port."""

        def read() -> bytes:
            body: bytes = self._s3().get_object(**self._object(bucket, key, version_id))["Body"].read()
            return body

        return await call("reading an object", read, of_object=True)

    async def put(self, bucket: Bucket, key: str, body: bytes, *, content_type: str) -> str:
        """See the port."""
        params = {**self._object(bucket, key), "Body": body, "ContentType": content_type}
        return _version(await call("writing an object", lambda: self._s3().put_object(**params)))

    async def delete_prefix(self, bucket: Bucket, prefix: str) -> int:
        """See the port.

        Raises:
            ValueError: the prefix does not name one document of one tenant.
            Unavailable: S3 refused some of them; those removed stay removed.
        """
        deletable_prefix(prefix)
        return await call("removing objects", lambda: self._delete_all(bucket, prefix))

    async def listed(self, bucket: Bucket, prefix: str, *, after: str, limit: int) -> tuple[Sequence[ListedBlob], str]:
        """See the port. The place is S3's own two markers.

        Raises:
            ValueError: the prefix does not name one tenant.
        """
        tenant_prefix(prefix)
        key_marker, _, version_marker = after.partition(" ")
        markers = {"KeyMarker": key_marker, "VersionIdMarker": version_marker}
        place = {name: value for name, value in markers.items() if value}

        def read() -> tuple[list[ListedBlob], str]:
            page = self._s3().list_object_versions(
                Bucket=self._bucket(bucket), Prefix=prefix, MaxKeys=min(limit, PAGE), **place
            )
            newest: dict[str, datetime] = {}
            for each in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
                newest[each["Key"]] = max(each["LastModified"], newest.get(each["Key"], each["LastModified"]))
            following = f"{page['NextKeyMarker']} {page.get('NextVersionIdMarker', '')}" if page["IsTruncated"] else ""
            return [ListedBlob(key, at) for key, at in sorted(newest.items())], following

        return await call("listing objects", read)

    async def count_prefix(self, bucket: Bucket, prefix: str) -> int:
        """See the port.

        Raises:
            ValueError: the prefix does not name one document of one tenant.
        """
        deletable_prefix(prefix)
        return await call("counting objects", lambda: sum(map(len, self._pages(bucket, prefix))))

    async def ping(self) -> None:
        """See the port."""
        await asyncio.gather(*(self._reach(bucket) for bucket in Bucket))

    async def _reach(self, bucket: Bucket) -> None:
        name = self._bucket(bucket)
        await call(f"reaching the {bucket} bucket", lambda: self._s3().head_bucket(Bucket=name))

    def _s3(self) -> Any:
        return (self._clients or clients()).get("s3")

    def _bucket(self, bucket: Bucket) -> str:
        name = self._buckets[bucket]
        if not name:
            raise Unavailable(f"this deployment has no {bucket} bucket configured", code="not_configured")
        return name

    def _object(self, bucket: Bucket, key: str, version_id: str = "") -> dict[str, str]:
        named = {"Bucket": self._bucket(bucket), "Key": key}
        return {**named, "VersionId": version_id} if version_id else named

    def _pages(self, bucket: Bucket, prefix: str) -> Iterator[list[dict[str, str]]]:
        """Versions and delete markers, page by page."""
        pages = self._s3().get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._bucket(bucket), Prefix=prefix, PaginationConfig={"PageSize": PAGE}):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            yield [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found if under(prefix, each["Key"])]

    def _delete_all(self, bucket: Bucket, prefix: str) -> int:
        removed = 0
        # Always the first page: the place in the list where the next one begins may have been removed with this one. A
        # single key sorts before all longer ones, so it is on the first page or nowhere.
        while page := next(self._pages(bucket, prefix), []):
            answer = self._s3().delete_objects(Bucket=self._bucket(bucket), Delete={"Objects": page, "Quiet": True})
            refused = answer.get("Errors", ())
            if refused:
                code = refused[0].get("Code", "no code")
                raise Unavailable(f"removing objects failed: {len(refused)} of {len(page)} refused, first with {code}")
            removed += len(page)
        return removed


def _check_seconds(seconds: int) -> None:
    if not 1 <= seconds <= MAX_SECONDS:
        raise ValueError(f"a presigned address lives 1-{MAX_SECONDS} seconds, not {seconds}")


def _version(answer: dict[str, Any]) -> str:
    version = str(answer.get("VersionId", ""))
    # What S3 calls the one version of an object in a bucket without versions.
    return "" if version == "null" else version
