"""The documents area with a scope that is given instead of found: no credential is read, no right is looked up."""

import os
from uuid import UUID

from shared.domain.tenants import KEY_PERMISSIONS, Principal, PrincipalKind, Scope
from shared.ports.ports import Ports
from shared.runtime import auth
from shared.runtime.transactions import transaction
from shared.runtime.web import Request

SCOPE = Scope(
    UUID(os.environ["BARE_TENANT"]),
    Principal(PrincipalKind.SYSTEM, "benchmark"),
    KEY_PERMISSIONS,
    UUID(os.environ["BARE_PROJECT"]),
)


async def _given(request: Request, ports: Ports, secret: str) -> Scope:
    return SCOPE


def _nothing(request: Request) -> str:
    return ""


vars(auth).update(transaction=lambda _: transaction(SCOPE), presented=_nothing, _project_scope=_given)

from functions.documents.app import handler  # noqa: E402

__all__ = ["handler"]
