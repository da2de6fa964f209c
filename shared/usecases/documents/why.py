"""Say in words where a document is, since when, what was tried and what happens next."""

from uuid import UUID

from shared.domain.errors import NotFound
from shared.domain.explanation import Explanation, explain
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports


async def why(scope: Scope, ports: Ports, document_id: UUID) -> Explanation:
    """Explain a document's state, deleted ones included.

    Raises:
        NotFound: no such document in this project.
    """
    scope.require(Permission.DOCUMENTS_READ)
    document = await ports.documents.get(scope, document_id)
    if document is None:
        raise NotFound("no such document in this project", code="document_not_found")
    generations = await ports.documents.generations(scope, document_id)
    receipt = await ports.receipts.get(scope, document_id)
    return explain(document, generations, receipt, ports.clock.now())
