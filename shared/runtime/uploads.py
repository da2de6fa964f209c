"""Forms to upload with, as every answer shows them."""

from datetime import datetime
from uuid import UUID

from shared.domain.tenants import Scope
from shared.runtime.schemas import Out
from shared.runtime.transactions import transaction
from shared.settings import settings
from shared.usecases.documents.upload import form_again


class FormOut(Out):
    """Send the file as multipart/form-data to `url`: every field first, then the file as field `file`."""

    url: str
    fields: dict[str, str]
    expires_at: datetime
    max_bytes: int


async def renewed(scope: Scope, document_id: UUID, number: int) -> FormOut | None:
    """A form for a version that still waits for its file; None when the file has come."""
    async with transaction(scope) as ports:
        form = await form_again(scope, ports, document_id, number, max_bytes=settings().max_upload_bytes)
    return None if form is None else FormOut.model_validate(form)
