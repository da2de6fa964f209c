"""Responses about organisations."""

from datetime import datetime
from uuid import UUID

from shared.runtime.schemas import Out


class OrgOut(Out):
    """An organisation."""

    id: UUID
    name: str
    created_at: datetime
