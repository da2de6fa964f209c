"""Objects: the uploads bucket (versioned, watched) and the work bucket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Bucket(StrEnum):
    """Which bucket."""

    UPLOADS = "uploads"
    WORK = "work"


FORBIDDEN = "object_forbidden"
"""Code of the error for an object that may not be read, or is not there for someone who may not list its bucket."""


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A presigned POST: where to send the file and the fields that must go with it, before the file field."""

    url: str
    fields: Mapping[str, str]
    expires_at: datetime
    max_bytes: int


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """What a store knows of one object version."""

    size: int
    version_id: str
    content_type: str


@dataclass(frozen=True, slots=True)
class ListedBlob:
    """A key that has at least one version or delete marker, and when the newest one seen was written."""

    key: str
    at: datetime


class Blobs(Protocol):
    """An object store. Missing objects raise NotFound; anything else that goes wrong raises Unavailable.

    Refused access to an object raises it with the code `FORBIDDEN`.
    """

    async def upload_form(self, key: str, *, max_bytes: int, seconds: int, content_type: str) -> UploadForm:
        """Allow one client to POST exactly `key` to the uploads bucket for `seconds`: 0 to `max_bytes` bytes.

        An empty file is let in: its document tells what is wrong with it.
        """
        ...

    async def download_url(
        self, bucket: Bucket, key: str, *, version_id: str, seconds: int, file_name: str, content_type: str
    ) -> str:
        """A link to one object version that a browser saves as `file_name`, never renders."""
        ...

    async def head(self, bucket: Bucket, key: str, *, version_id: str = "") -> BlobInfo:
        """Size and version of an object; of the current version when none is named."""
        ...

    async def get(self, bucket: Bucket, key: str, *, version_id: str = "") -> bytes:
        """The whole object."""
        ...

    async def put(self, bucket: Bucket, key: str, body: bytes, *, content_type: str) -> str:
        """Write the object; returns its version id ('' in an unversioned bucket)."""
        ...

    async def delete_prefix(self, bucket: Bucket, prefix: str) -> int:
        """Remove every version and delete marker under a prefix that ends in '/' or names one object.

        Returns how many were removed.
        """
        ...

    async def listed(self, bucket: Bucket, prefix: str, *, after: str, limit: int) -> tuple[Sequence[ListedBlob], str]:
        """Keys of one tenant under the prefix, in order, from the place `after` ('' for the first), and what follows.

        Up to `limit`; a key with many versions may come on two pages. The place that follows is '' at the end.
        """
        ...

    async def count_prefix(self, bucket: Bucket, prefix: str) -> int:
        """How many versions and delete markers are under the prefix."""
        ...

    async def ping(self) -> None:
        """Prove that both buckets can be reached."""
        ...
