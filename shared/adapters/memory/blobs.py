"""Objects in a dictionary: versions, sequencers and upload rules as S3 has them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from shared.adapters.memory.clock import ManualClock
from shared.domain.errors import Forbidden, NotFound, TooLarge
from shared.domain.events import ObjectCreated
from shared.domain.objects import deletable_prefix, tenant_prefix, under
from shared.ports.blobs import BlobInfo, Bucket, ListedBlob, UploadForm
from shared.ports.clock import Clock

MAX_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of an object; a delete marker has no body."""

    version_id: str
    sequencer: str
    content_type: str
    body: bytes | None
    at: datetime


@dataclass(frozen=True, slots=True)
class _Policy:
    key: str
    content_type: str
    max_bytes: int
    expires_at: datetime


class MemoryBlobs:
    """Implements `shared.ports.blobs.Blobs`: the uploads bucket keeps versions, the work bucket does not."""

    def __init__(
        self, clock: Clock | None = None, *, uploads_bucket: str = "uploads", work_bucket: str = "work"
    ) -> None:
        """Begin empty.

        Args:
            clock: a standing one when None.
            uploads_bucket: name of the bucket, for event records.
            work_bucket: name of the other.
        """
        self._clock = clock or ManualClock()
        self.names = {Bucket.UPLOADS: uploads_bucket, Bucket.WORK: work_bucket}
        self._objects: dict[Bucket, dict[str, list[Stored]]] = {bucket: {} for bucket in Bucket}
        self._policies: dict[str, _Policy] = {}
        self._count = 0

    async def upload_form(self, key: str, *, max_bytes: int, seconds: int, content_type: str) -> UploadForm:
        """See the port.

        Raises:
            ValueError: a life outside 1-900 seconds, or no bytes allowed.
        """
        _check_seconds(seconds)
        if max_bytes < 1:
            raise ValueError("an upload form needs room for a byte")
        policy = _Policy(key, content_type, max_bytes, self._clock.now() + timedelta(seconds=seconds))
        name = f"policy-{self._next()}"
        self._policies[name] = policy
        fields = {"key": key, "Content-Type": content_type, "policy": name}
        return UploadForm(
            url=f"memory://{self.names[Bucket.UPLOADS]}",
            fields=fields,
            expires_at=policy.expires_at,
            max_bytes=max_bytes,
        )

    def post(self, fields: Mapping[str, str], body: bytes) -> ObjectCreated:
        """What S3 does with a submitted form: check it against its policy and store the object.

        Raises:
            Forbidden: no such policy, another key or content type, or too late.
            TooLarge: over the policy's size.
        """
        policy = self._policies.get(fields.get("policy", ""))
        if policy is None or fields.get("key") != policy.key or fields.get("Content-Type") != policy.content_type:
            raise Forbidden("the form is not the one that was signed", code="policy_mismatch")
        if self._clock.now() >= policy.expires_at:
            raise Forbidden("the form has expired", code="policy_expired")
        if len(body) > policy.max_bytes:
            raise TooLarge(f"the file has {len(body)} bytes; {policy.max_bytes} at most", code="entity_too_large")
        self._store(Bucket.UPLOADS, policy.key, body, policy.content_type)
        return self.created(policy.key)

    def created(self, key: str, bucket: Bucket = Bucket.UPLOADS, *, version_id: str = "") -> ObjectCreated:
        """The event record of an object version; of the newest one when none is named.

        Raises:
            NotFound: there is none.
        """
        version = self._find(bucket, key, version_id)
        return ObjectCreated(
            bucket=self.names[bucket],
            key=key,
            version_id=version.version_id,
            sequencer=version.sequencer,
            size=len(version.body or b""),
            event_time=version.at,
        )

    def mark_deleted(self, key: str) -> None:
        """What a plain delete does in the versioned uploads bucket: a delete marker becomes the newest version."""
        self._store(Bucket.UPLOADS, key, None, "")

    def keys(self, bucket: Bucket) -> list[str]:
        """Every key with at least one version or marker, sorted."""
        return sorted(self._objects[bucket])

    async def download_url(
        self, bucket: Bucket, key: str, *, version_id: str, seconds: int, file_name: str, content_type: str
    ) -> str:
        """See the port. The link goes nowhere.

        Raises:
            ValueError: a life outside 1-900 seconds.
        """
        _check_seconds(seconds)
        asked = urlencode({"versionId": version_id, "expires": seconds, "name": file_name})
        return f"memory://{self.names[bucket]}/{quote(key)}?{asked}"

    async def head(self, bucket: Bucket, key: str, *, version_id: str = "") -> BlobInfo:
        """See the port."""
        found = self._find(bucket, key, version_id)
        return BlobInfo(size=len(found.body or b""), version_id=found.version_id, content_type=found.content_type)

    async def get(self, bucket: Bucket, key: str, *, version_id: str = "") -> bytes:
        """See the port."""
        return self._find(bucket, key, version_id).body or b""

    async def put(self, bucket: Bucket, key: str, body: bytes, *, content_type: str) -> str:
        """See the port."""
        return self._store(bucket, key, body, content_type)

    async def delete_prefix(self, bucket: Bucket, prefix: str) -> int:
        """See the port.

        Raises:
            ValueError: the prefix does not name one document of one tenant.
        """
        keys = list(self._under(bucket, prefix))
        return sum(len(self._objects[bucket].pop(key)) for key in keys)

    async def listed(self, bucket: Bucket, prefix: str, *, after: str, limit: int) -> tuple[Sequence[ListedBlob], str]:
        """See the port.

        Raises:
            ValueError: the prefix does not name one tenant.
        """
        tenant_prefix(prefix)
        keys = sorted(key for key in self._objects[bucket] if key.startswith(prefix) and key > after)
        found = [ListedBlob(key, max(one.at for one in self._objects[bucket][key])) for key in keys[:limit]]
        return found, keys[limit - 1] if len(keys) > limit else ""

    async def count_prefix(self, bucket: Bucket, prefix: str) -> int:
        """See the port.

        Raises:
            ValueError: the prefix does not name one document of one tenant.
        """
        return sum(len(self._objects[bucket][key]) for key in self._under(bucket, prefix))

    async def ping(self) -> None:
        """See the port."""

    def _under(self, bucket: Bucket, prefix: str) -> Iterator[str]:
        deletable_prefix(prefix)
        return (key for key in self._objects[bucket] if under(prefix, key))

    def _find(self, bucket: Bucket, key: str, version_id: str) -> Stored:
        versions = self._objects[bucket].get(key, [])
        wanted = [version for version in versions if version.version_id == version_id] if version_id else versions[-1:]
        if not wanted or wanted[0].body is None:
            raise NotFound("there is no such object", code="object_not_found")
        return wanted[0]

    def _store(self, bucket: Bucket, key: str, body: bytes | None, content_type: str) -> str:
        count = self._next()
        version_id = f"v{count:06d}" if bucket is Bucket.UPLOADS else ""
        # Sixteen digits or more, as S3 writes them.
        stored = Stored(version_id, f"{0x0055AED6DCD90000 + count:018X}", content_type, body, self._clock.now())
        kept = self._objects[bucket].get(key, []) if bucket is Bucket.UPLOADS else []
        self._objects[bucket][key] = [*kept, stored]
        return version_id

    def _next(self) -> int:
        self._count += 1
        return self._count


def _check_seconds(seconds: int) -> None:
    if not 1 <= seconds <= MAX_SECONDS:
        raise ValueError(f"a presigned address lives 1-{MAX_SECONDS} seconds, not {seconds}")
