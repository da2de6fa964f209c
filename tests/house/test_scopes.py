"""Whoever does something for a tenant has a scope: use cases and repositories take one, and doors make them."""

import ast
from collections.abc import Iterator
from pathlib import Path

SCOPES = {"Scope", "TenantScope", "UserScope"}
NOBODY_YET = {
    *("auth/guesses.py: count", "auth/guesses.py: wait", "auth/guesses.py: right", "auth/openid.py: resume"),
    *("auth/password.py: forgot", "auth/password.py: reset", "auth/register.py: ask"),
    *("auth/sign_in.py: look_up", "auth/sign_in.py: settle", "auth/sign_in.py: begin", "auth/sign_in.py: refresh"),
}
"""Who asks is found out by these: they are for strangers."""
NOBODYS = {
    *("ingest/outages.py: note", "ingest/outages.py: struck", "ingest/outages.py: excused"),
    *("ingest/turns.py: granted", "ingest/turns.py: ask", "ingest/turns.py: refused", "deletion/sign.py: signed"),
}
"""About a provider, or this deployment's key: no tenant's."""
WHOSE = {
    *("collections.py: authenticate", "members.py: find", "users.py: find", "users.py: find_identity"),
    *("users.py: access", "users.py: enter", "users.py: take"),
}
"""What a credential, an address or a code belongs to."""
SCHEDULES = {
    *("admissions.py: waiting", "collections.py: ids", "documents.py: due", "documents.py: tombstoned"),
    *("indexes.py: unfinished", "outbox.py: left_behind", "outbox.py: sent", "receipts.py: due", "webhooks.py: due"),
    *("idempotency.py: purge", "rates.py: purge"),
}
"""Which tenants have something to do, by ids alone; what is done to it is done with a scope."""
NO_TENANTS = {
    *("collections.py: ensure", "collections.py: revision", "vectors.py: ping", "access.py: everything"),
    *(
        "cursors.py: get",
        "cursors.py: put",
        "cursors.py: now",
        "limits.py: reserve",
        "limits.py: drain",
        "limits.py: silence",
    ),
    *("rates.py: along", "users.py: put", "users.py: begin", "users.py: wait", "users.py: succeeded"),
    # Their rows are told by the transaction's tenant, and by the sender in what they are given.
    *("idempotency.py: claim", "idempotency.py: keep", "idempotency.py: finish", "idempotency.py: release"),
}
"""Rows that are no tenant's, or those that the transaction's own scope has chosen."""
POWERS = {
    *("blobs.py", "clock.py", "egress.py", "embedder.py", "issuers.py", "llm.py", "mailer.py", "meter.py"),
    *("migrations.py", "passwords.py", "queue.py", "signer.py"),
}
"""What is outside of the database, or makes it."""
MAKERS = {
    *("runtime/auth.py", "runtime/signed_in.py", "runtime/joining.py", "usecases/invitations/accept.py"),
    # Of the system itself, for what it read or wrote itself.
    *("domain/tenants.py", "runtime/steering.py", "runtime/reindexing.py", "runtime/sweeping.py"),
    *(
        "runtime/reconciling.py",
        "runtime/rejecting.py",
        "usecases/projects/bootstrap.py",
        "adapters/memory/documents.py",
    ),
}
"""Where scopes of tenants are made: from a verified credential, a code that was mailed, or by the system."""


def named(node: ast.AST | None) -> set[str]:
    """Names in an annotation."""
    found = () if node is None else ast.walk(node)
    return {
        one.id if isinstance(one, ast.Name) else one.attr for one in found if isinstance(one, ast.Name | ast.Attribute)
    }


def scopeless(source: str, *, given: str = "") -> Iterator[str]:
    """Public asynchronous functions that take no scope, of those that are given something of this type."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
            taken = [named(one.annotation) for one in (*node.args.args, *node.args.kwonlyargs)]
            if (not given or any(given in one for one in taken)) and not any(one & SCOPES for one in taken):
                yield node.name


def makes_scopes(source: str) -> bool:
    """Whether a scope of a tenant is made."""
    calls = (one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.Call))
    return any(isinstance(one.func, ast.Name) and one.func.id in {"Scope", "TenantScope"} for one in calls)


def test_every_use_case_takes_a_scope() -> None:
    folder = Path("shared/usecases")
    found = {
        f"{path.relative_to(folder)}: {name}"
        for path in folder.rglob("*.py")
        for name in scopeless(path.read_text("utf-8"), given="Ports")
    }
    assert found == NOBODY_YET | NOBODYS


def test_every_method_of_a_repository_takes_a_scope() -> None:
    paths = [path for path in Path("shared/ports").glob("*.py") if path.name not in POWERS]
    found = {f"{path.name}: {name}" for path in paths for name in scopeless(path.read_text("utf-8"))}
    assert found == WHOSE | SCHEDULES | NO_TENANTS


def test_scopes_of_tenants_are_made_where_somebody_is_known() -> None:
    rooms = [path for room in ("shared", "functions") for path in Path(room).rglob("*.py")]
    found = {path for path in rooms if path.parts[1] not in {"cli", "local"} and makes_scopes(path.read_text("utf-8"))}
    assert {str(path.relative_to("shared")) for path in found} == MAKERS


def test_function_without_a_scope_is_found() -> None:
    wanted = "async def get(self, scope: Scope, id: UUID) -> None: ..."
    planted = "async def get(self, id: UUID, ports: Ports) -> None: ..."
    assert list(scopeless(wanted)) == []
    assert list(scopeless(planted)) == ["get"]
    assert list(scopeless(planted, given="Ports")) == ["get"]
    assert list(scopeless(planted, given="Powers")) == []
    assert makes_scopes("def f(body): return Scope(body.tenant_id, me, everything, body.project_id)")
    assert not makes_scopes("def f(scope): return replace(scope, project_id=other)")
