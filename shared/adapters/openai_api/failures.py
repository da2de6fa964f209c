"""What went wrong at a provider, in our words. The key is in none of them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from shared.domain.errors import Delayed, LambentError, Rejected, Unavailable
from shared.domain.providers import QUOTA_WAIT, repeatable, retry_after

_SETTINGS = frozenset({"model", "dimensions", "encoding_format"})
"""Parameters that come from this deployment's settings: a refusal of one says nothing against the texts."""


def failure(status: int, headers: Mapping[str, str], body: bytes, key: str) -> LambentError:
    """The error for a response that is not a success.

    Args:
        status: HTTP status.
        headers: names in lower case.
        body: as much of it as was read.
        key: the provider key, to keep it out of the text.
    """
    code, parameter, said = read_error(body, key)
    if status == 429:
        if code in ("insufficient_quota", "billing_hard_limit_reached"):
            return Delayed(f"the model account's quota is used up{said}", seconds=QUOTA_WAIT)
        return Delayed("the model provider asks to wait", seconds=retry_after(headers, datetime.now(UTC)))
    if status in (401, 403):
        return Unavailable(
            f"the model provider refused this deployment's key (status {status})",
            code="model_key_refused",
            hint="check the model key in the deployment's settings",
        )
    if status == 404 or code == "model_not_found":
        return Unavailable(
            f"the model provider does not know this model or address{said}",
            code="model_unknown",
            hint="check the model's name and the base URL in the deployment's settings",
        )
    if 300 <= status < 400:
        return Unavailable(
            "the model provider answered with a redirect, which is not followed", code="model_redirected"
        )
    if status in (400, 413, 422) and parameter not in _SETTINGS:
        return Rejected(f"the model provider refuses this text{said}", code="model_rejected")
    return Unavailable(f"the model provider answered with status {status}{said}", code="model_unavailable")


def read_error(body: bytes, key: str) -> tuple[str, str, str]:
    """Code, parameter and message (': …', or nothing) of an error body, whatever it looks like."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return "", "", ""
    error = found.get("error", found) if isinstance(found, dict) else found
    if isinstance(error, str):
        return "", "", _quoted(error, key)
    if not isinstance(error, dict):
        return "", "", ""
    code, parameter = error.get("code") or error.get("type"), error.get("param")
    message = error.get("message")
    return str(code or ""), str(parameter or ""), _quoted(message, key) if isinstance(message, str) else ""


def _quoted(message: str, key: str) -> str:
    return f": {repeatable(message, key)}"
