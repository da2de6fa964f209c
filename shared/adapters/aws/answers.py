"""What the errors of AWS services mean here, and how long a service is waited for. Needs no botocore."""

from shared.domain.errors import Outage, Unavailable

CONNECT_SECONDS = 2
READ_SECONDS = 10
ATTEMPTS = 3

BUSY = frozenset({"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestTimeout"})


def refused(doing: str, code: str, status: int | str, *, as_code: str | None = None) -> Unavailable:
    """The error of a service that answered, with its own code in the text and nothing of the request.

    Args:
        doing: what was done: 'reading an object'.
        code: the service's word for it.
        status: of the HTTP answer.
        as_code: a stable code of ours, when somebody tells this error from others.
    """
    if code in BUSY or (isinstance(status, int) and status >= 500):
        return Outage(f"{doing} failed: {code[:60]} ({status})")
    return Unavailable(f"{doing} failed: {code[:60]} ({status})", code=as_code)
