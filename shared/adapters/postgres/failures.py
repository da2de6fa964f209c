"""What the database's errors mean to the rest of the system."""

from collections.abc import Mapping

import psycopg

from shared.domain.errors import Conflict, Forbidden, Invalid, LambentError, Outage, Unavailable

TIMEOUT = "database_timeout"
TRANSIENT: Mapping[str, tuple[str, str]] = {
    "55P03": ("database_busy", "a row or table stayed locked for too long"),
    "57014": (TIMEOUT, "the database took too long to answer"),
    "40001": ("database_conflict", "the transaction met another one and was undone"),
    "40P01": ("database_conflict", "the transaction met another one and was undone"),
    "25P02": ("database_aborted", "the transaction was undone by an earlier error"),
    "25P03": ("database_lost", "the transaction was left idle for too long"),
    "25006": ("database_read_only", "the database only reads at the moment"),
    "42P01": ("not_migrated", "the database lacks a table: its migrations have not run"),
    "42703": ("not_migrated", "the database lacks a column: its migrations have not run"),
    "42883": ("not_migrated", "the database lacks a function: its migrations have not run"),
}
"""SQLSTATEs that a retry may cure, with our code and words for each."""

UNSTORABLE = frozenset({"22021", "22P05"})
"""SQLSTATEs of characters that no text column takes."""


def meaning(cause: BaseException | None, *, lost: bool = False) -> LambentError | None:
    """What a driver's error means to the rest of the system; None for those that are faults of ours.

    Args:
        cause: the driver's error.
        lost: the connection is known to be gone.
    """
    state = getattr(cause, "sqlstate", None) or ""
    if state in TRANSIENT:
        code, words = TRANSIENT[state]
        # Of what takes too long the work itself may be the cause.
        return (Unavailable if code == TIMEOUT else Outage)(words, code=code)
    if lost or state[:2] in ("08", "53", "57") or (isinstance(cause, psycopg.OperationalError) and not state):
        return Outage("the database connection was lost", code="database_lost")
    if state == "23505":
        return Conflict("something with the same key exists already", code="already_exists")
    if state == "23503":
        return Conflict("it refers to something that is not there", code="missing_reference")
    if state == "42501" and '"readable"' in str(cause):
        return Forbidden("who may not read what is in a collection adds nothing to it", code="not_a_reader")
    if state == "42501":
        return Forbidden("the rows are outside this transaction's tenant", code="outside_tenant")
    if state in UNSTORABLE or (isinstance(cause, psycopg.DataError) and not state):
        return unstorable()
    return None


def unstorable() -> Invalid:
    """Text that no column takes."""
    return Invalid(
        "the text contains characters that cannot be stored (NUL, or halves of a surrogate pair)", code="invalid_text"
    )
