"""Secrets that are good for one thing, once, for a while: a mailed link, a sign-in under way at another party."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class TicketKind(StrEnum):
    """What a ticket is good for."""

    REGISTRATION = "registration"
    EMAIL_CHANGE = "email_change"
    RESET = "reset"
    OIDC_SIGN_IN = "oidc_sign_in"


LIFE: Mapping[TicketKind, timedelta] = {
    TicketKind.REGISTRATION: timedelta(hours=24),
    TicketKind.EMAIL_CHANGE: timedelta(hours=24),
    TicketKind.RESET: timedelta(hours=1),
    TicketKind.OIDC_SIGN_IN: timedelta(minutes=10),
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as stored: never the secret itself."""

    kind: TicketKind
    secret_hash: str
    payload: Mapping[str, object]
    """What whoever shows the secret is given; JSON."""
    created_at: datetime
    expires_at: datetime
