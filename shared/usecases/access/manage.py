"""Say who may read a document or a collection."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.domain.access import AccessList, ListKind, Lists, Reader, ReaderKind
from shared.domain.errors import Invalid, NotFound
from shared.domain.roles import BuiltIn
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.audit.note import note


@dataclass(frozen=True, slots=True)
class Wanted:
    """A list as it is to be."""

    readers: Sequence[Reader] | None
    """None: no list, so that everyone of the project or of the collection reads; or, with a problem, nobody knows."""
    fresh_until: datetime | None = None
    problem: str | None = None


async def read_list(scope: Scope, ports: Ports, kind: ListKind, id: UUID) -> Lists:
    """What decides about a document or a collection, whether or not it admits whoever asks.

    Raises:
        NotFound: there is none in this project, or it is deleted.
    """
    scope.require(Permission.ACCESS_READ)
    return await _found(scope, ports, kind, id)


async def set_list(scope: Scope, ports: Ports, kind: ListKind, id: UUID, wanted: Wanted) -> Lists:
    """Replace a list, or take it away.

    Raises:
        NotFound: there is no such document or collection in this project, or it is deleted.
        Invalid: a reader that this organisation does not have, too many of them, or a freshness that is over.
    """
    scope.require(Permission.ACCESS_WRITE)
    now = ports.clock.now()
    before = await _found(scope, ports, kind, id)
    access = None
    if wanted.readers is not None or wanted.problem is not None:
        readers = frozenset(wanted.readers or ())
        access = AccessList(readers, now, str(scope.principal), wanted.fresh_until, wanted.problem)
        known = frozenset() if before.own is None else before.own.readers
        # Who was on it may have left the organisation since; nobody has to clear that up first.
        await _require_known(scope, ports, sorted(readers - known))
    if not await ports.access.put(scope, kind, id, access):
        raise _missing(kind)
    told = {"before": _told(before.own), "after": _told(access), "problem": wanted.problem}
    await note(scope, ports, f"{kind}.readers_set", id, project_id=scope.project_id, **told)
    return await _found(scope, ports, kind, id)


async def _found(scope: Scope, ports: Ports, kind: ListKind, id: UUID) -> Lists:
    lists = await ports.access.get(scope, kind, id)
    if lists is None:
        raise _missing(kind)
    return lists


def _missing(kind: ListKind) -> NotFound:
    return NotFound(f"no such {kind} in this project", code=f"{kind}_not_found")


async def _require_known(scope: Scope, ports: Ports, readers: Sequence[Reader]) -> None:
    for reader in readers:
        if not await _known(scope, ports, reader):
            raise Invalid(f"this organisation has no {reader.kind} {reader.id!r}", code="unknown_reader")


async def _known(scope: Scope, ports: Ports, reader: Reader) -> bool:
    if reader.kind is ReaderKind.EVERYONE or (reader.kind is ReaderKind.ROLE and reader.id in BuiltIn):
        return True
    try:
        id = UUID(reader.id)
    except ValueError:
        return False
    # As it is compared: in one spelling.
    if str(id) != reader.id:
        return False
    match reader.kind:
        case ReaderKind.USER:
            return await ports.members.get(scope, id) is not None
        case ReaderKind.UNIT:
            return await ports.units.get(scope, id) is not None
        case ReaderKind.ROLE:
            return await ports.roles.get(scope, id) is not None
        case ReaderKind.SERVICE_ACCOUNT:
            return await ports.service_accounts.get(scope, id) is not None
        case _:
            return await ports.keys.get(scope, id) is not None


def _told(access: AccessList | None) -> list[str] | None:
    return None if access is None else sorted(reader.name for reader in access.readers)
