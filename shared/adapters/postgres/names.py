"""Names that only one thing may have."""

from collections.abc import Mapping
from typing import Any

from shared.adapters.postgres.engine import Session
from shared.domain.errors import Conflict


async def named(session: Session, statement: Any, parameters: Mapping[str, object], what: str, name: str) -> None:
    """Run a statement whose one conflict over a key is one over a name.

    Raises:
        Conflict: the name is taken, or it refers to something that is not there.
    """
    try:
        await session.run(statement, parameters)
    except Conflict as error:
        if error.code != "already_exists":
            raise
        raise Conflict(f"there is a {what} named {name!r} already", code="name_taken") from error
