"""Every error a use case may raise, and nothing about HTTP.

    LambentError
     ├─ Refused                  the caller may change something and try again
     │   ├─ Invalid              the request itself is wrong
     │   │   ├─ InvalidCursor
     │   │   ├─ InvalidFilter
     │   │   └─ InvalidKey       an idempotency key that is none
     │   ├─ Unauthenticated      no principal
     │   ├─ Forbidden            a principal without the permission
     │   ├─ NotFound             no such thing, or not the caller's
     │   ├─ Conflict             the thing is in another state
     │   │   └─ UnderWay         the same request is being worked on; carries seconds to wait
     │   ├─ TooLarge
     │   └─ RateLimited          carries seconds to wait
     ├─ Rejected                 this content can never be processed (permanent): a document ends as failed(reason)
     ├─ Delayed                  the work must wait (provider limit): not a failure, carries seconds and the reason
     └─ Unavailable              a power outside is down or answered nonsense (transient): worth a retry
         └─ Outage               a part of this deployment itself is out: says nothing of what was worked on
             └─ CommitUnknown    the database connection broke while committing

Doors translate them once, in shared/runtime/errors.py.
"""

from collections.abc import Mapping


class LambentError(Exception):
    """Root of the tree. `code` is stable and machine-readable; `detail` says what was wrong; `hint` what to do."""

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, hint: str = "", **context: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.context: Mapping[str, object] = context
        if code is not None:
            self.code = code


class Refused(LambentError):
    """The caller asked for something that is not given."""

    code = "refused"


class Invalid(Refused):
    """The request is malformed or contradicts itself."""

    code = "invalid"


class InvalidCursor(Invalid):
    """A page cursor that this service did not make, or made for another listing."""

    code = "invalid_cursor"


class InvalidFilter(Invalid):
    """A search or list filter that does not parse or names an unknown field."""

    code = "invalid_filter"


class InvalidKey(Invalid):
    """An idempotency key that is empty, too long, or not printable."""

    code = "invalid_idempotency_key"


class Unauthenticated(Refused):
    """No credential, or one that is unknown, revoked or expired."""

    code = "unauthenticated"


class Forbidden(Refused):
    """The principal is known but lacks the permission."""

    code = "forbidden"


class NotFound(Refused):
    """The thing does not exist within the caller's scope."""

    code = "not_found"


class Conflict(Refused):
    """The thing is in a state that does not allow this."""

    code = "conflict"


class UnderWay(Conflict):
    """The same request, sent before, is still being worked on; `seconds` until it is worth asking again."""

    code = "idempotency_in_progress"

    def __init__(self, detail: str, *, seconds: float, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.seconds = seconds


class TooLarge(Refused):
    """A body, file or page over its limit."""

    code = "too_large"


class RateLimited(Refused):
    """Too many requests; `seconds` until another is accepted."""

    code = "rate_limited"

    def __init__(self, detail: str, *, seconds: float, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.seconds = seconds


class StandingChanged(BaseException):
    """What a request took for granted about its credential is not so any more: nothing was done, it is begun again.

    No error that anyone is told: only what begins requests catches it.
    """


class Rejected(LambentError):
    """Content that can never be processed. The document ends as failed with this code and detail."""

    code = "rejected"


class Delayed(LambentError):
    """Work that must wait `seconds`; it is queued again and never counted as a failure."""

    code = "delayed"

    def __init__(self, detail: str, *, seconds: float) -> None:
        super().__init__(detail)
        self.seconds = seconds


class Unavailable(LambentError):
    """Something outside is down, slow or answered nonsense; a retry may help."""

    code = "unavailable"


class Outage(Unavailable):
    """The database or the object store is out, busy or not set up yet. Work that met it is repeated and counts no try:
    nothing was wrong with the document.
    """


class CommitUnknown(Outage):
    """The connection broke during commit: the work may or may not have been done, so it is repeated."""

    code = "commit_unknown"
