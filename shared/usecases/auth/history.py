"""Write down what happens to an account: in the transaction in which it does; and read it."""

from uuid import UUID

from shared.domain.history import KEPT, KEPT_OF_NOBODY, Happened, UserEvent
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.users import UserScope
from shared.ports.ports import Ports


async def note(
    ports: Ports,
    scope: UserScope,
    action: Happened,
    *,
    client: str = "",
    session_id: UUID | None = None,
    nobody: bool = False,
    **details: object,
) -> None:
    """Note an event.

    Args:
        ports: in a transaction of the user.
        scope: whose account, and from where.
        action: what happened.
        client: what the client called itself.
        session_id: which session, when it is about one.
        nobody: there is no such user, and nobody shall learn that from the time it takes.
        details: what else there is to say; values that JSON can carry, never a secret.
    """
    now = ports.clock.now()
    kept = KEPT_OF_NOBODY if nobody else KEPT
    event = UserEvent(
        ports.ids.new(), scope.user_id, now, action.value, scope.address, now + kept, client[:200], session_id, details
    )
    await ports.history.add(scope, event)


async def list_events(scope: UserScope, ports: Ports, *, cursor: str | None, limit: int) -> Page[UserEvent]:
    """A page of what happened to one's account, newest first."""
    listing = fingerprint("history", scope.user_id)
    after = decode_cursor(cursor, listing) if cursor else None
    rows = await ports.history.list(scope, after, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.at, row.id))
