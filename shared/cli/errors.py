"""What can go wrong for a person at a terminal, always with what to do about it.

CliError
 ├─ NoAddress        nobody said where the API is, and no local cloud runs
 ├─ Unreachable      nothing answers at the address
 ├─ NotLambent       something answers, but it is not this API
 ├─ ApiProblem       the API refused or failed (RFC 9457 problem)
 ├─ UploadRefused    the object store did not take a file
 └─ Unresolved       a name on the command line fits nothing, or too much
"""

from collections.abc import Mapping, Sequence

PROBLEM_TYPE = "urn:lambent:problem:"
HINTS = {
    "unauthenticated": "check the key (--key or LAMBENT_API_KEY), or sign in: lambent login",
    "user_required": "sign in with lambent login, and give no key (--key, LAMBENT_API_KEY)",
    "organisation_required": "choose with lambent orgs use NAME, or give --org NAME",
    "tenant_not_found": "choose one of lambent orgs with lambent orgs use NAME, or give --org NAME",
    "no_organisation": "make one with lambent orgs create NAME, or join one with lambent invitations accept CODE",
    "project_required": "choose with lambent projects use NAME, or give --project NAME",
    "project_not_found": "choose one of lambent projects with lambent projects use NAME, or give --project NAME",
    "project_archived": "take it out with lambent projects restore NAME",
}
"""Where the API says which header to send, the command that does it."""


class CliError(Exception):
    """Root of the tree.

    `detail` says what was wrong, `hint` what to do, `code` is stable; `exit_code` is the process's.
    """

    exit_code = 1

    def __init__(self, detail: str, *, code: str = "failed", hint: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.hint = hint

    def problem(self) -> dict[str, object]:
        """As problem details (RFC 9457), for `--json`."""
        return {"type": PROBLEM_TYPE + self.code, "code": self.code, "detail": self.detail, "hint": self.hint}


class NoAddress(CliError):
    """Nobody said where the API is, and no local cloud runs."""

    def __init__(self) -> None:
        super().__init__(
            "no local cloud runs, and no other address was given",
            code="no_address",
            hint="start one with: lambent up --detach, or name a deployment with --url and --key "
            "(or LAMBENT_URL and LAMBENT_API_KEY)",
        )


class Unreachable(CliError):
    """Nothing answers at the address."""


class NotLambent(CliError):
    """Something answers, but not as this API does."""


class UploadRefused(CliError):
    """The object store did not take a file."""


class Unresolved(CliError):
    """A name on the command line fits nothing, or more than one thing."""


class ApiProblem(CliError):
    """The API's own answer to a request it refused or failed at.

    Attributes:
        status: HTTP status.
        body: the problem details as they came.
        retry_after: seconds the API asks to wait; None when it does not say.
    """

    def __init__(self, status: int, body: Mapping[str, object], *, retry_after: float | None = None) -> None:
        super().__init__(
            str(body.get("detail") or body.get("title") or f"the API answered with status {status}"),
            code=str(body.get("code") or f"http_{status}"),
            hint=HINTS.get(str(body.get("code")), str(body.get("hint") or "")),
        )
        self.status = status
        self.body = body
        self.retry_after = retry_after

    @property
    def request_id(self) -> str:
        """The id by which the request is found in the log; '' when there is none."""
        return str(self.body.get("request_id") or "")

    @property
    def fields(self) -> Sequence[tuple[str, str]]:
        """What is wrong with which field of the request."""
        errors = self.body.get("errors")
        if not isinstance(errors, list):
            return ()
        return [(str(one.get("field", "")), str(one.get("problem", ""))) for one in errors if isinstance(one, dict)]

    def problem(self) -> dict[str, object]:
        """As it came, with what this side added."""
        return {**self.body, "status": self.status, "code": self.code, "detail": self.detail, "hint": self.hint}
