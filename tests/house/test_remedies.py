"""Every code that a document can fail with has words for what helps."""

import ast
from collections.abc import Iterator

from shared.adapters.postgres.failures import TRANSIENT
from shared.domain.errors import CommitUnknown, Unavailable
from shared.domain.ingestions import CANCELLED
from shared.domain.remedies import HELP
from shared.domain.retrying import MALFORMED_EXTRACTION, TOO_MANY_CHUNKS, UNREADABLE
from shared.ports.blobs import FORBIDDEN
from tests.house.repository import ROOT, modules

ROOMS = ("shared/domain", "shared/usecases/ingest", "shared/usecases/ingestions", "shared/adapters")
ERRORS = {"Rejected", "Unavailable", "Outage"}
ELSEWHERE = {
    "egress_failed",
    "egress_timeout",
    "forbidden_address",
    "forbidden_url",
    "issuer_failed",
    "issuer_unusable",
    "model_cut_off",
}
"""Of webhooks, sign-ins and answers: no document ends with these."""
NAMED = {CANCELLED, FORBIDDEN, MALFORMED_EXTRACTION, TOO_MANY_CHUNKS, Unavailable.code, CommitUnknown.code}
"""Written as a name where they are raised."""


def raised(tree: ast.AST) -> Iterator[str]:
    """Codes written out where an error that can end a document, or a reason, is made."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = [one.value for one in node.keywords if one.arg == "code"] if name in ERRORS else []
            given += node.args[:1] if name == "Reason" else []
            yield from (one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))


def test_every_failure_code_has_words() -> None:
    codes = {code for room in ROOMS for _, tree in modules(ROOT, room) for code in raised(tree)}
    assert {"gave_up", "encrypted", "model_key_refused"} <= codes, "the search itself finds too little"
    possible = (codes - ELSEWHERE) | UNREADABLE | NAMED | {code for code, _ in TRANSIENT.values()}
    assert sorted(possible - set(HELP)) == []
    assert sorted(set(HELP) - possible) == []
