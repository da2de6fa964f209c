"""One request, done once: the key it carries, what the key stands for, and what is kept of the answer.

Keys belong to a principal within a tenant, or to a user outside all tenants. Of a key and of the request hashes are
kept, nothing else.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.domain.errors import Conflict, UnderWay

KEY = re.compile(r"[ -~]{1,255}")
"""Printable characters of ASCII."""

LIFE = timedelta(hours=24)
"""How long an answer is kept, from the request on."""

RETRY_SECONDS = 1.0
"""When to ask again about a request that holds its transaction open: those are short."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that wants to be the first of its key."""

    tenant_id: UUID | None
    """None: the user's own, outside all tenants."""
    principal: str
    key_hash: str
    fingerprint: str
    """Of what is asked for: another request under the same key is refused."""
    at: datetime
    project_id: UUID | None = None
    lease: UUID | None = None
    """Names this attempt of a request that takes several transactions; None: it takes one, which holds the key."""
    until: datetime | None = None
    """When the lease ends, because whoever has it is gone by then."""

    @property
    def expires_at(self) -> datetime:
        """When the key may be used for something else."""
        return self.at + LIFE


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a request was answered."""

    status: int
    headers: Mapping[str, str]
    body: str | None
    """None: erased, because what it speaks of was deleted."""
    about: frozenset[UUID] = frozenset()
    """Everything it speaks of: with any of them the body goes."""
    finished: bool = True
    """False: made and committed, but not told to everybody yet."""


def key_hash(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def fingerprint(method: str, path: str, query: str, project_id: UUID | None, body: bytes) -> str:
    """What is kept of a request. Bodies in JSON are the same when they say the same, however it is spelled."""
    said = json.dumps([method, path, query, str(project_id or "")]).encode()
    return hashlib.sha256(said + b"\n" + _canonical(body)).hexdigest()


def _canonical(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body


def ids_in(said: object, name: str = "") -> frozenset[UUID]:
    """Every id that an answer in JSON names: text under `id`, or under a name that ends in `_id` or `_ids`."""
    if isinstance(said, dict):
        return frozenset().union(*(ids_in(value, key) for key, value in said.items()))
    if isinstance(said, list):
        return frozenset().union(*(ids_in(value, name) for value in said))
    if not isinstance(said, str) or not (name == "id" or name.endswith(("_id", "_ids"))):
        return frozenset()
    try:
        return frozenset({UUID(said)})
    except ValueError:
        return frozenset()


def reused() -> Conflict:
    """The answer to another request under a key that was used."""
    return Conflict(
        "this idempotency key was used for another request",
        code="idempotency_key_reused",
        hint="send another key with another request; a key stands for one method, path, query, project and body",
    )


def erased() -> Conflict:
    """The answer to a request again, when what it made has been deleted."""
    return Conflict(
        "this request was answered before, and what it made has been deleted since",
        code="idempotency_answer_erased",
        hint="send another key to make it anew",
    )


def under_way(seconds: float) -> UnderWay:
    """The answer while somebody else has the key."""
    hint = "ask again with the same key: you get the answer of the first"
    return UnderWay("a request with this idempotency key is under way", seconds=seconds, hint=hint)


def lease_lost() -> Conflict:
    """The answer to whoever took longer than their lease: somebody else does the work."""
    return Conflict(
        "this took so long that the same request was begun again",
        code="idempotency_lease_lost",
        hint="ask again with the same key",
    )
