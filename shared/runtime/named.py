"""What a request says of where it wants to work, and how it is told that it may not."""

from uuid import UUID

from shared.domain.errors import Forbidden, Unauthenticated
from shared.runtime.web import AHEAD, Request

PROJECT_HEADER = "Lambent-Project"
"""Which project, for a credential that may use several."""
ORG_HEADER = "Lambent-Org"
"""Which organisation, for a user who belongs to several."""


def named(header: str) -> UUID | None:
    """The id in a header; None when there is none, or something else."""
    try:
        return UUID(header)
    except ValueError:
        return None


def address_seen(request: Request) -> str:
    """The IP address that API Gateway saw, never one from a header."""
    return "" if request.client is None else request.client.host


def goes_ahead(request: Request) -> bool:
    """Whether the rights that its credential had last time will do until they have been asked."""
    return bool(request.scope.get(AHEAD, False))


def unauthenticated() -> Unauthenticated:
    """The one answer to every credential that is not good."""
    hint = "send the header Authorization: Bearer … with a key that is neither revoked nor expired, or sign in again"
    return Unauthenticated("no valid credential was sent", hint=hint)


def project_archived() -> Forbidden:
    """The answer to whoever wants to work in an archived project."""
    return Forbidden("this project is in the archive", code="project_archived", hint="take it out of the archive")
