"""Rows of what happened to users' accounts, each behind the wall of their own user."""

from collections.abc import Sequence
from typing import Protocol

from shared.domain.history import UserEvent
from shared.domain.pages import After
from shared.domain.users import UserScope


class History(Protocol):
    """Storage of events: they are added and read, and gone when they expire; nothing else."""

    async def add(self, scope: UserScope, event: UserEvent) -> None:
        """Store an event of the transaction's user, who need not exist; some that expired, of anybody, are removed."""
        ...

    async def list(self, scope: UserScope, after: After | None, limit: int) -> Sequence[UserEvent]:
        """Events of the user, newest first; a place in the order is `at` and the id."""
        ...
