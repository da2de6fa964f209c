"""Secrets that are shown once and kept as hashes."""

import hashlib
import re

from shared.domain.errors import Invalid
from shared.domain.sessions import TOKEN_PREFIX

REFRESH = re.compile(rf"{TOKEN_PREFIX}[A-Za-z0-9_-]{{43}}")
MAILED = re.compile(r"[A-Za-z0-9_-]{43}")


def secret_hash(secret: str) -> str:
    """How a secret of 256 random bits is kept and found."""
    return hashlib.sha256(secret.encode()).hexdigest()


def mailed_hash(token: str) -> str:
    """The hash of a token that came by mail.

    Raises:
        Invalid: it is none, whatever it is: nothing empty is ever looked up.
    """
    if not MAILED.fullmatch(token):
        raise bad_token()
    return secret_hash(token)


def bad_token() -> Invalid:
    """The one answer to a mailed token that is not good."""
    return Invalid(
        "this token is not good: it was used, is too old, or never was one",
        code="invalid_token",
        hint="ask for another one",
    )
