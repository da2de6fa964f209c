"""Looking at everything that waits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.backlog import BacklogLine, Unsent
from shared.domain.documents import Document, Generation
from shared.domain.tenants import Scope, TenantScope


class BacklogView(Protocol):
    """Counts over unfinished work of a project; documents that are deleted count only for `deleting`."""

    async def lines(self, scope: Scope, now: datetime, limit: int) -> Sequence[BacklogLine]:
        """Unfinished versions by step and reason, the most frequent first."""
        ...

    async def longest(self, scope: Scope, limit: int) -> Sequence[tuple[Document, Generation]]:
        """Unfinished versions, those first that have been at their step for the longest time."""
        ...

    async def failed(self, scope: Scope) -> Mapping[str, int]:
        """Documents whose latest version failed, by code."""
        ...

    async def deleting(self, scope: Scope) -> int:
        """Documents that have a tombstone and are not swept."""
        ...

    async def unsent(self, scope: TenantScope, before: datetime) -> Unsent:
        """Messages of the tenant that were added before then and are still in the outbox."""
        ...
