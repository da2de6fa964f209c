"""What begins a transaction: BEGIN, and its settings, all of them local to it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from shared.adapters.postgres.line import Timeouts


@lru_cache(64)
def opening(tenant_id: UUID | None, admitted: frozenset[str] | None, timeouts: "Timeouts") -> Sequence[str]:
    """What begins a transaction. A scope's names need no quoting."""
    context = ", ".join(
        f"set_config('{name}', '{value}', true)" for name, value in set_at_first(tenant_id, admitted, timeouts)
    )
    return "BEGIN", f"SELECT {context}"


@lru_cache(8)
def unknown(timeouts: "Timeouts") -> str:
    """The settings of a transaction of nobody's, as an array: for a function of the server that finds whose it is."""
    pairs = set_at_first(None, frozenset(), timeouts)
    return f"ARRAY[{', '.join(f"'{text}'" for pair in pairs for text in pair)}]"


def set_at_first(
    tenant_id: UUID | None, admitted: frozenset[str] | None, timeouts: "Timeouts"
) -> Sequence[tuple[str, str]]:
    """Names and values of what is set for a transaction.

    The tenant is set even when there is none, and the user, who is not known before a credential was read, to none, so
    that nothing older shows through.
    """
    settings: dict[str, object] = {
        "lambent.tenant": "" if tenant_id is None else str(UUID(int=tenant_id.int)),
        "lambent.user": "",
        "lambent.readers": "*" if admitted is None else ",".join(sorted(admitted)),
        "TimeZone": "UTC",
        "statement_timeout": int(timeouts.statement),
        "lock_timeout": int(timeouts.lock),
        "idle_in_transaction_session_timeout": int(timeouts.idle_in_transaction),
        # Compiling a statement takes longer than any of ours runs.
        "jit": "off",
        # pgvector: keep scanning the graph until enough rows passed the filters.
        "hnsw.ef_search": 100,
        "hnsw.iterative_scan": "relaxed_order",
        "hnsw.max_scan_tuples": 100_000,
    }
    return [(name, str(value)) for name, value in settings.items()]
