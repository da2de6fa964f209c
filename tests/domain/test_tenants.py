"""A scope can be neither empty nor a wildcard."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.domain.errors import Forbidden
from shared.domain.tenants import (
    KEY_PERMISSIONS,
    NIL,
    Credential,
    Permission,
    Principal,
    PrincipalKind,
    Scope,
    TenantScope,
    system_scope,
)

PRINCIPAL = Principal(PrincipalKind.API_KEY, "k1")
READ = frozenset({Permission.DOCUMENTS_READ})
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("tenant", [NIL, None, "", "*", str(UUID(int=1))])
def test_scope_without_a_real_tenant_cannot_be_made(tenant: Any) -> None:
    with pytest.raises(ValueError, match="needs a tenant"):
        Scope(tenant, PRINCIPAL, READ, UUID(int=2))
    with pytest.raises(ValueError, match="needs a tenant"):
        TenantScope(tenant, PRINCIPAL, READ)


@pytest.mark.parametrize("project", [NIL, None, "", "*"])
def test_scope_without_a_real_project_cannot_be_made(project: Any) -> None:
    with pytest.raises(ValueError, match="needs a project"):
        Scope(UUID(int=1), PRINCIPAL, READ, project)


def test_scope_without_permissions_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="at least one permission"):
        Scope(UUID(int=1), PRINCIPAL, frozenset(), UUID(int=2))


def test_scope_with_a_pattern_for_a_permission_cannot_be_made() -> None:
    patterns: Any = frozenset({"documents:*"})
    with pytest.raises(ValueError, match="no patterns"):
        Scope(UUID(int=1), PRINCIPAL, patterns, UUID(int=2))


def test_principal_without_id_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="needs an id"):
        Principal(PrincipalKind.USER, "")


def test_require_lets_held_permissions_pass_and_names_missing_ones() -> None:
    scope = Scope(UUID(int=1), PRINCIPAL, READ, UUID(int=2))
    scope.require(Permission.DOCUMENTS_READ)
    with pytest.raises(Forbidden, match="documents:write"):
        scope.require(Permission.DOCUMENTS_WRITE)


def test_key_permissions_leave_out_the_stages_own() -> None:
    assert set(Permission) - KEY_PERMISSIONS == {Permission.DOCUMENTS_PROCESS}


def test_system_scope_may_process_and_cannot_search() -> None:
    scope = system_scope(UUID(int=1), UUID(int=2), "sweep")
    scope.require(Permission.DOCUMENTS_PROCESS)
    with pytest.raises(Forbidden):
        scope.require(Permission.SEARCH_QUERY)
    assert str(scope.principal) == "system:sweep"


@pytest.mark.parametrize(
    ("expires", "revoked", "valid"),
    [
        (None, None, True),
        (NOW + timedelta(seconds=1), None, True),
        (NOW, None, False),
        (NOW - timedelta(seconds=1), None, False),
        (None, NOW, False),
        (NOW + timedelta(days=1), NOW - timedelta(days=1), False),
    ],
)
def test_credential_is_valid_until_it_expires_or_is_revoked(
    expires: datetime | None, revoked: datetime | None, valid: bool
) -> None:
    assert Credential(UUID(int=1), UUID(int=2), None, "k", READ, expires, revoked).valid(NOW) is valid
