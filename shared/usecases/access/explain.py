"""Say why somebody can or cannot read a document."""

from uuid import UUID

from shared.domain.access import ListKind
from shared.domain.access_words import Asked, Verdict, verdict
from shared.domain.errors import NotFound
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports


async def explain(scope: Scope, ports: Ports, document_id: UUID, user_id: UUID) -> Verdict:
    """Whether a user may read a document of this project now, and what decides it.

    Of a user who is no member nothing is said but that.

    Raises:
        NotFound: no such document in this project, or it is deleted.
    """
    scope.require(Permission.ACCESS_READ)
    lists = await ports.access.get(scope, ListKind.DOCUMENT, document_id)
    if lists is None:
        raise NotFound("no such document in this project", code="document_not_found")
    asked = Asked(
        member=await ports.members.get(scope, user_id),
        permissions=await ports.members.rights(scope, user_id, scope.project_id),
        names=await ports.access.names(scope, user_id),
        lists=lists,
    )
    return verdict(asked, ports.clock.now())
