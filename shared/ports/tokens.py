"""Access tokens: short-lived, signed, readable without asking anybody."""

from datetime import datetime
from typing import Protocol

from shared.domain.tokens import AccessClaims


class Tokens(Protocol):
    """The keys that sign access tokens: one algorithm, a fixed set of keys, the first of which signs."""

    def issue(self, claims: AccessClaims) -> str:
        """The token that says so."""
        ...

    def read(self, token: str, now: datetime) -> AccessClaims | None:
        """What a token says; None when it is not one of ours, whole, in the one form it is written in, and not over."""
        ...
