"""Access lists, by the clerk's functions: the wall that keeps documents back is not in their way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.adapters.postgres.engine import Session
from shared.domain.access import AccessList, ListKind, Lists, Reader
from shared.domain.tenants import Scope

GET = text("SELECT * FROM lambent_access_list(:project, :kind, :of_id)")
PUT = text("""
SELECT lambent_put_access_list(
  :project, :kind, :of_id, CAST(:names AS text[]), CAST(:until AS timestamptz), :problem, :actor,
  CAST(:moment AS timestamptz)
)
""")
EVERYTHING = text("SELECT set_config('lambent.readers', '*', true)")
NAMES = text("SELECT names FROM lambent_readers(:tenant, :who, NULL, NULL, :project)")


class PgAccess:
    """Storage of access lists."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, scope: Scope, kind: ListKind, id: UUID) -> Lists | None:
        """What decides about a document or a collection of the project; None: there is none, or it is deleted."""
        row = await self._session.first(GET, _one(scope, kind, id))
        if row is None:
            return None
        return Lists(
            _list(row.own, row.own_until, row.own_problem, row.own_set_at, row.own_set_by),
            _list(row.above, row.above_until, row.above_problem, row.above_set_at, row.above_set_by),
        )

    async def put(self, scope: Scope, kind: ListKind, id: UUID, access: AccessList | None) -> bool:
        """Store a list, or, None, take it away; False: there is no such document or collection."""
        values = {
            "names": None if access is None else sorted(reader.name for reader in access.readers),
            "until": None if access is None else access.fresh_until,
            "problem": None if access is None else access.problem,
            "actor": None if access is None else access.set_by,
            "moment": None if access is None else access.set_at,
        }
        return bool(await self._session.scalar(PUT, {**_one(scope, kind, id), **values}))

    async def names(self, scope: Scope, user_id: UUID) -> frozenset[str]:
        """The names by which lists admit a member in the scope's project; none for who is no member, or suspended."""
        parameters = {"tenant": scope.tenant_id, "who": user_id, "project": scope.project_id}
        return frozenset(filter(None, (await self._session.scalar(NAMES, parameters)).split(",")))

    async def everything(self) -> None:
        """See every document of the tenant until this transaction ends, whomever it admits."""
        await self._session.run(EVERYTHING)


def _one(scope: Scope, kind: ListKind, id: UUID) -> dict[str, object]:
    return {"project": scope.project_id, "kind": kind.value, "of_id": id}


def _list(
    names: list[str] | None, until: datetime | None, problem: str | None, set_at: datetime, set_by: str
) -> AccessList | None:
    if names is None:
        return None
    return AccessList(frozenset(map(Reader.of, names)), set_at, set_by, until, problem)
