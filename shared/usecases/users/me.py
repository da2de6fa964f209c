"""What users do about themselves."""

from dataclasses import replace

from shared.domain.errors import Unauthenticated
from shared.domain.history import Happened
from shared.domain.labels import clean_name
from shared.domain.sessions import Ended
from shared.domain.users import User, UserScope
from shared.ports.ports import Ports
from shared.usecases.auth import history


async def get(scope: UserScope, ports: Ports) -> User:
    """The user.

    Raises:
        Unauthenticated: they are gone.
    """
    found = await ports.users.get(scope)
    if found is None:
        raise Unauthenticated("no valid credential was sent")
    return found


async def rename(scope: UserScope, ports: Ports, name: str) -> User:
    """Give oneself another name."""
    await ports.users.lock(scope)
    changed = replace(await get(scope, ports), name=clean_name(name))
    await ports.users.save(scope, changed)
    return changed


async def disable(scope: UserScope, ports: Ports) -> None:
    """Close one's account: from this moment no token and no key of the user is good anywhere."""
    await ports.users.lock(scope)
    user, now = await get(scope, ports), ports.clock.now()
    await ports.users.save(scope, replace(user, disabled_at=now))
    await ports.sessions.revoke(scope, Ended.DISABLED, now)
    await history.note(ports, scope, Happened.CLOSED, session_id=scope.session_id)
    await ports.idempotency.erase_own(scope)
