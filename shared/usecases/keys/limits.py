"""What a key that makes something passes on: it never gives away more room or more time than it has."""

from datetime import datetime
from uuid import UUID

from shared.domain.errors import Forbidden, Invalid, NotFound
from shared.domain.tenants import Credential, Permission, TenantScope
from shared.ports.ports import Ports


async def room_for(scope: TenantScope, ports: Ports, maker: Credential | None, project_id: UUID | None) -> UUID | None:
    """The project that what is made is tied to; None: it may name any of the organisation's.

    Args:
        scope: the caller's.
        ports: in an open transaction.
        maker: the caller's own key, if it is one.
        project_id: what the caller asked for.

    Raises:
        NotFound: no such project, or none that the caller's key may use.
    """
    tied = None if maker is None or Permission.PROJECTS_WRITE in scope.permissions else maker.project_id
    wanted = project_id or tied
    if wanted is None:
        return None
    if tied not in (None, wanted) or await ports.projects.get(scope, wanted) is None:
        raise NotFound("no such project", code="project_not_found")
    return wanted


def expiry_for(maker: Credential | None, expires_at: datetime | None, now: datetime) -> datetime | None:
    """When what is made expires; None: never.

    Raises:
        Invalid: it would have expired already.
        Forbidden: it would outlive the key it is made with.
    """
    if expires_at is not None and expires_at <= now:
        raise Invalid("that moment has passed already", code="invalid_expiry")
    if maker is None or maker.expires_at is None:
        return expires_at
    if expires_at is not None and expires_at > maker.expires_at:
        raise Forbidden(
            f"the key you came with expires at {maker.expires_at.isoformat()}; what it makes ends no later",
            code="beyond_own_rights",
        )
    return expires_at or maker.expires_at
