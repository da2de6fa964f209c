"""The lines before ingestion: one a tenant, so that nobody's flood stands before another's document."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from shared.domain.documents import Document, Generation
from shared.domain.tenants import TenantScope


class Admissions(Protocol):
    """Which generations of a tenant are in progress, and which wait for their turn, inside the current transaction.

    In progress are those in a state that a stage works on; in line are the `queued` ones.
    """

    async def in_progress(self, scope: TenantScope, most: int) -> int:
        """How many of the tenant's generations are in progress, counted up to `most`."""
        ...

    async def next(self, scope: TenantScope, most: int) -> Sequence[tuple[Document, Generation]]:
        """The longest waiting of the tenant, as many as make up `most` in progress; locked.

        Rows locked by others are passed over.
        """
        ...

    async def waiting(self, limit: int) -> Sequence[UUID]:
        """Across tenants: those with generations in line. Ids only."""
        ...
