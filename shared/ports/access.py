"""Rows of access lists."""

from typing import Protocol
from uuid import UUID

from shared.domain.access import AccessList, ListKind, Lists
from shared.domain.tenants import Scope


class Access(Protocol):
    """Storage of who may read documents and collections.

    The lists themselves are seen and set whomever they admit; what they keep back, the other repositories do not find
    for `scope.admitted`.
    """

    async def get(self, scope: Scope, kind: ListKind, id: UUID) -> Lists | None:
        """What decides about a document or a collection of the project; None: there is none, or it is deleted."""
        ...

    async def put(self, scope: Scope, kind: ListKind, id: UUID, access: AccessList | None) -> bool:
        """Store a list, or, None, take it away; False: there is no such document or collection."""
        ...

    async def names(self, scope: Scope, user_id: UUID) -> frozenset[str]:
        """The names by which lists admit a member in the scope's project; none for who is no member, or suspended."""
        ...

    async def everything(self) -> None:
        """See every document of the tenant until this transaction ends, whomever it admits.

        For work on an index, which concerns them all; nothing of a document may be shown by it.
        """
        ...
