"""Guesses are counted, and each further one waits longer."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Lockout:
    """How failures are answered: some are free, then every one doubles the wait."""

    free: int
    """Failures without a wait."""
    first: timedelta = timedelta(seconds=30)
    most: timedelta = timedelta(minutes=15)
    forget: timedelta = timedelta(hours=24)
    """Failures are forgotten when none came for so long."""


BY_ACCOUNT = Lockout(free=5)
BY_ADDRESS = Lockout(free=50)
"""Of one IP address, behind which may be a whole office."""


def attempt_key(kind: str, of: str) -> str:
    """The key of a counter. It names nobody: known and unknown accounts have one alike."""
    return hashlib.sha256(f"{kind}\n{of}".encode()).hexdigest()
