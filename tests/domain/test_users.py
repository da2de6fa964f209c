"""Addresses, passwords, roles."""

import itertools
from typing import Any
from uuid import UUID

import pytest

from shared.domain.errors import Forbidden, Invalid
from shared.domain.roles import PERMISSIONS, VIEWER, BuiltIn, Role, held, require_within
from shared.domain.tenants import KEY_PERMISSIONS, NIL, Permission
from shared.domain.users import UserScope, check_password, clean_email, email_key
from tests.contracts.samples import NOW


@pytest.mark.parametrize("email", ["a@example.com", " A.b+c@Sub.Example.co.uk ", "o'brien@example.org", "1@2.example"])
def test_clean_email_with_an_address_trims_it(email: str) -> None:
    assert clean_email(email) == email.strip()
    assert email_key(email) == email.strip().lower()


@pytest.mark.parametrize(
    "email",
    [
        *("", "a", "@example.com", "a@", "a@example", "a b@example.com", "a@b@example.com", ".a@example.com"),
        *("a.@example.com", "a..b@example.com", "a@-example.com", "a@example-.com", "a@exa mple.com", "a@[127.0.0.1]"),
        *(
            "a@example.com\nBcc: b@example.com",
            "a@example.com\x00",
            "а@example.com",
            "a@exämple.com",
            "<a@example.com>",
        ),
        *("a,b@example.com", f"{'a' * 65}@example.com", f"a@{'b' * 64}.com", f"a@{'b.' * 130}com", "a@example.c"),
    ],
)
def test_clean_email_with_anything_else_refuses(email: str) -> None:
    with pytest.raises(Invalid):
        clean_email(email)


@pytest.mark.parametrize(
    "password", ["", "short", "a" * 20, "abababababab", "x" * 257, "Ada@Example.com", "ada lovelace"]
)
def test_check_password_that_is_easily_guessed_refuses(password: str) -> None:
    with pytest.raises(Invalid) as raised:
        check_password(password, "ada@example.com", "Ada Lovelace", "")
    assert raised.value.code == "weak_password"


@pytest.mark.parametrize("password", ["correct horse", "пароль и ещё", "0123456789"])
def test_check_password_worth_having_passes(password: str) -> None:
    check_password(password, "ada@example.com", "")


@pytest.mark.parametrize("user", [NIL, None, "", "*", str(UUID(int=1))])
def test_user_scope_without_a_real_user_cannot_be_made(user: Any) -> None:
    with pytest.raises(ValueError, match="needs a user"):
        UserScope(user)


def test_roles_include_one_another_and_nobody_holds_the_systems_own_right() -> None:
    ordered = [PERMISSIONS[one] for one in (BuiltIn.VIEWER, BuiltIn.EDITOR, BuiltIn.ADMIN, BuiltIn.OWNER)]
    assert all(lower < higher for lower, higher in itertools.pairwise(ordered))
    assert ordered[-1] == KEY_PERMISSIONS
    assert PERMISSIONS[BuiltIn.OWNER] - PERMISSIONS[BuiltIn.ADMIN] == {Permission.TENANT_DELETE}


def test_held_adds_up_and_leaves_out_what_it_does_not_know() -> None:
    assert held([], []) == frozenset()
    assert held(["viewer"], ["audit:read", "nonsense", "documents:process", "*"]) == VIEWER | {Permission.AUDIT_READ}
    assert held(["emperor"], []) == frozenset()


@pytest.mark.parametrize("permissions", [frozenset(), frozenset({Permission.DOCUMENTS_PROCESS})])
def test_role_of_nothing_or_of_the_systems_own_right_cannot_be_made(permissions: frozenset[Permission]) -> None:
    with pytest.raises(Invalid):
        Role(UUID(int=1), UUID(int=2), "r", "", permissions, NOW)


def test_require_within_names_what_is_missing() -> None:
    require_within(VIEWER, VIEWER)
    with pytest.raises(Forbidden, match="audit:read, tenant:delete"):
        require_within(VIEWER, VIEWER | {Permission.TENANT_DELETE, Permission.AUDIT_READ})
