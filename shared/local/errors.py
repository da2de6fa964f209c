"""What can go wrong with the local cloud, in words a person can act on.

LocalError
 ├─ AlreadyRunning     another `up` holds the state folder
 ├─ NotRunning         the command needs a running cloud
 ├─ StepFailed         a step of `up` failed; the reason is in `detail`
 ├─ TemplateInvalid    template.yaml cannot be transformed
 ├─ Throttled          a function has no free process and none came free in time (Lambda's 429)
 ├─ PayloadTooLarge    an event beyond Lambda's limit (Lambda's 413)
 ├─ StreamBroken       a streamed response ended with an error after it had begun
 └─ InvokeFailed       a function answered with an error
"""


class LocalError(Exception):
    """Root of the tree: `detail` says what happened, `hint` what to do about it (may be empty)."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint


class AlreadyRunning(LocalError):
    """A local cloud already runs on this state folder."""


class NotRunning(LocalError):
    """No local cloud runs on this state folder."""


class StepFailed(LocalError):
    """A step of `up` failed; everything started before it has been stopped again."""


class TemplateInvalid(LocalError):
    """The template does not exist, does not parse or does not transform."""


class Throttled(LocalError):
    """Every process of the function stayed busy for as long as an invocation may wait."""


class PayloadTooLarge(LocalError):
    """The event is larger than Lambda accepts."""


class StreamBroken(LocalError):
    """The function failed after the first byte of its streamed response."""


class InvokeFailed(LocalError):
    """The function answered with an error; `detail` holds its message."""
