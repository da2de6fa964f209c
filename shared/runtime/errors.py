"""Errors as RFC 9457 problem details: a stable code, what was wrong, what to do.

The one place that knows status codes.
"""

import json
import math
from collections.abc import Mapping, Sequence

from pydantic import BaseModel
from starlette.exceptions import HTTPException

from shared.domain import errors
from shared.runtime.web import Request, RequestValidationError, Response

STATUS: Mapping[type[errors.LambentError], int] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.RateLimited: 429,
    errors.InvalidKey: 400,
    errors.Invalid: 422,
    errors.Rejected: 422,
    errors.Delayed: 503,
    errors.Unavailable: 503,
}
TITLES = {
    400: "The request is malformed",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict with the present state",
    413: "Too large",
    422: "Not acceptable as it is",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available right now",
}
MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """One thing wrong with one field."""

    field: str
    problem: str


class Problem(BaseModel):
    """An error, as every route answers it."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str = ""
    request_id: str = ""
    errors: list[FieldError] = []


def problem(
    request_id: str,
    status: int,
    code: str,
    detail: str,
    *,
    hint: str = "",
    fields: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Make the response."""
    body = Problem(
        type=f"urn:lambent:problem:{code}",
        title=TITLES.get(status, "Error"),
        status=status,
        code=code,
        detail=detail,
        hint=hint,
        request_id=request_id,
        errors=list(fields),
    )
    # Written in ASCII, so that whatever a caller sent and is told back can be encoded.
    return Response(json.dumps(body.model_dump()), status, dict(headers or {}), media_type=MEDIA_TYPE)


def request_id_of(request: Request) -> str:
    """The platform's id of this request, '' outside the platform."""
    context = request.scope.get("aws.context")
    return getattr(context, "aws_request_id", "")


def of_error(request_id: str, error: errors.LambentError) -> Response:
    """The problem of one of our own errors."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    headers: dict[str, str] = {}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="lambent"'
    if isinstance(error, errors.RateLimited | errors.Delayed | errors.UnderWay):
        headers["Retry-After"] = str(max(1, math.ceil(error.seconds)))
    return problem(request_id, status, error.code, error.detail, hint=error.hint, headers=headers)


def of_crash(request_id: str) -> Response:
    """The problem of what nobody foresaw: no details, they are in the log."""
    detail = "an unexpected error; it is in the log under this request id"
    return problem(request_id, 500, "internal_error", detail)


async def on_crash(request: Request, error: Exception) -> Response:
    """Anything else."""
    return of_crash(request_id_of(request))


async def on_lambent_error(request: Request, error: Exception) -> Response:
    """Our own errors."""
    if not isinstance(error, errors.LambentError):
        raise error
    return of_error(request_id_of(request), error)


async def on_validation_error(request: Request, error: Exception) -> Response:
    """A body, path or query that does not fit its model; the offending value is not repeated."""
    if not isinstance(error, RequestValidationError):
        raise error
    fields = [
        FieldError(field=".".join(str(part) for part in one["loc"]), problem=one["msg"]) for one in error.errors()
    ][:20]
    first = fields[0] if fields else FieldError(field="request", problem="not valid")
    return problem(
        request_id_of(request),
        422,
        "validation_failed",
        f"{first.field}: {first.problem}",
        hint="the API's page shows each field",
        fields=fields,
    )


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Routes that do not exist, methods they do not have."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 400:
        # FastAPI's word for a body that is not even text; one that is not JSON it calls invalid, and so do we.
        detail, hint = "the body cannot be read", "send JSON in UTF-8"
        return of_error(request_id_of(request), errors.Invalid(detail, code="invalid_request", hint=hint))
    codes = {404: "route_not_found", 405: "method_not_allowed"}
    details = {404: "there is no such route", 405: "this route does not take that method"}
    return problem(
        request_id_of(request),
        error.status_code,
        codes.get(error.status_code, "http_error"),
        details.get(error.status_code, str(error.detail)),
        headers=error.headers,
    )
