"""Answers of requests that carry an idempotency key, claimed by a function of the server."""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.adapters.postgres.engine import Session
from shared.domain.idempotency import RETRY_SECONDS, Claim, KeptAnswer, lease_lost, reused, under_way
from shared.domain.receipts import Subject, SubjectKind
from shared.domain.tenants import TenantScope
from shared.domain.users import UserScope

NOBODY = UUID(int=0)
MINE = "tenant_id = :tenant AND principal = :principal AND key_hash = :key_hash"
CLAIM = text(
    "SELECT * FROM lambent_claim(CAST(:tenant AS uuid), :principal, :key_hash, :fingerprint, CAST(:project AS uuid), "
    "CAST(:lease AS uuid), CAST(:until AS timestamptz), CAST(:expires_at AS timestamptz), CAST(:now AS timestamptz))"
)
ADD = text(
    "INSERT INTO kept_answers (tenant_id, principal, key_hash, fingerprint, project_id, status, headers, body, about, "
    "finished, expires_at) VALUES (:tenant, :principal, :key_hash, :fingerprint, :project, :status, "
    "CAST(:headers AS jsonb), :body, CAST(:about AS uuid[]), :finished, :expires_at)"
)
FILL = text(
    "UPDATE kept_answers SET status = :status, headers = CAST(:headers AS jsonb), body = :body, "
    f"about = CAST(:about AS uuid[]), finished = :finished, lease = NULL, until = NULL WHERE {MINE} AND lease = :lease"
)
FINISH = text(f"UPDATE kept_answers SET finished = true WHERE {MINE} AND status IS NOT NULL")
RELEASE = text(f"DELETE FROM kept_answers WHERE {MINE} AND lease = :lease")
OF_TENANT = "tenant_id = :tenant"
SPEAKING = f"{OF_TENANT} AND (about @> ARRAY[CAST(:subject AS uuid)] OR body IS NOT NULL AND project_id = :subject)"
COUNT = "SELECT count(*) FROM kept_answers WHERE "
REMOVE = text(f"DELETE FROM kept_answers WHERE {OF_TENANT}")
ERASE = text(f"UPDATE kept_answers SET body = NULL, headers = '{{}}', about = '{{}}' WHERE {SPEAKING}")
REMOVE_OWN = text("DELETE FROM kept_answers WHERE tenant_id = :tenant AND principal = :principal")
PURGE = text("SELECT lambent_forget_answers(:now, :most)")


class PgIdempotency:
    """Storage of answers by principal and key."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def claim(self, claim: Claim) -> KeptAnswer | None:
        """Be the first of a key, or get what the first was answered; None: this is the first."""
        values = {**_place(claim), **_about(claim), "lease": claim.lease, "until": claim.until, "now": claim.at}
        row = await self._session.first(CLAIM, values)
        if row is None:
            return None
        if not row.free:
            raise under_way(RETRY_SECONDS)
        if row.fingerprint != claim.fingerprint:
            raise reused()
        if row.status is None:
            raise under_way((row.until - claim.at).total_seconds())
        return KeptAnswer(row.status, row.headers, row.body, finished=row.finished)

    async def keep(self, claim: Claim, answer: KeptAnswer) -> None:
        """Note the answer of a claim that was granted."""
        values = {
            **_place(claim),
            "status": answer.status,
            "headers": json.dumps(dict(answer.headers)),
            "body": answer.body,
            "about": sorted(answer.about),
            "finished": answer.finished,
        }
        if claim.lease is None:
            self._session.later(ADD, {**values, **_about(claim)})
        elif not (await self._session.run(FILL, {**values, "lease": claim.lease})).rowcount:
            raise lease_lost()

    async def finish(self, claim: Claim) -> None:
        """Note that everybody has been told of what an answer tells."""
        await self._session.run(FINISH, _place(claim))

    async def release(self, claim: Claim) -> None:
        """Give a lease back without an answer."""
        await self._session.run(RELEASE, {**_place(claim), "lease": claim.lease})

    async def erase(self, scope: TenantScope, subject: Subject) -> int:
        """Erase answers that speak of what is deleted; of a tenant, everything. Returns how many."""
        if subject.kind is SubjectKind.TENANT:
            return (await self._session.run(REMOVE, {"tenant": scope.tenant_id})).rowcount
        return (await self._session.run(ERASE, {"tenant": scope.tenant_id, "subject": subject.id})).rowcount

    async def left(self, scope: TenantScope, subject: Subject) -> int:
        """How many answers that speak of it there are."""
        which = OF_TENANT if subject.kind is SubjectKind.TENANT else SPEAKING
        given = {"tenant": scope.tenant_id, "subject": subject.id}
        asked = given if which is SPEAKING else {"tenant": scope.tenant_id}
        return int(await self._session.scalar(text(COUNT + which), asked))

    async def erase_own(self, scope: UserScope) -> int:
        """Remove everything of a user outside all tenants; returns how many."""
        mine = {"tenant": NOBODY, "principal": str(scope.principal)}
        return (await self._session.run(REMOVE_OWN, mine)).rowcount

    async def purge(self, now: datetime, limit: int) -> int:
        """Across tenants: remove what is older than it is kept for; returns how many."""
        return int(await self._session.scalar(PURGE, {"now": now, "most": limit}))


def _place(claim: Claim) -> Mapping[str, object]:
    return {"tenant": claim.tenant_id or NOBODY, "principal": claim.principal, "key_hash": claim.key_hash}


def _about(claim: Claim) -> Mapping[str, object]:
    return {"fingerprint": claim.fingerprint, "project": claim.project_id, "expires_at": claim.expires_at}
