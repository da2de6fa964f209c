"""litellm itself, imported when first needed and silenced; and its errors in our words."""

import asyncio
import os
from collections.abc import Awaitable
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import Any

from shared.domain.errors import Delayed, LambentError, Rejected, Unavailable
from shared.domain.providers import QUOTA_WAIT, repeatable, retry_after


@cache
def load() -> Any:
    """The module.

    By these two variables it decides, while it is imported, to use the price list it carries instead of fetching one,
    and to read no `.env` file. Retries are ours alone (a 429 goes back to the queue): its embedding call heeds only
    this default of its own.
    """
    os.environ.update({"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"})
    litellm: Any = import_module("litellm")
    litellm.DEFAULT_MAX_RETRIES = 0
    litellm.num_retries = 0
    litellm.telemetry = False
    litellm.turn_off_message_logging = True
    litellm.suppress_debug_info = True
    litellm.drop_params = True
    litellm.disable_aiohttp_transport = True
    for callbacks in (litellm.callbacks, litellm.input_callback, litellm.success_callback, litellm.failure_callback):
        callbacks.clear()
    return litellm


async def call(made: Awaitable[Any], deadline: float, key: str) -> Any:
    """Await something of litellm's until the deadline (in the loop's time).

    Raises:
        Delayed: 429.
        Rejected: the provider will never take this.
        Unavailable: anything else.
    """
    import openai

    try:
        async with asyncio.timeout_at(deadline):
            return await made
    except TimeoutError as error:
        raise Unavailable("the model provider did not answer in time", code="model_timeout") from error
    except openai.OpenAIError as error:
        raise _translated(error, key) from None  # its text and its notes may hold the key
    except (ValueError, TypeError, LookupError, AttributeError, OSError) as error:
        # What its parsers raise on answers they did not expect.
        raise Unavailable(
            f"the model provider's answer was not understood ({type(error).__name__})", code="model_malformed"
        ) from None


def _translated(error: Exception, key: str) -> LambentError:
    import openai

    litellm = load()
    said = repeatable(str(getattr(error, "message", "")), key)
    if isinstance(error, openai.RateLimitError):
        return _wait(error, said)
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return Unavailable(
            "the model provider refused this deployment's key",
            code="model_key_refused",
            hint="check the model key in the deployment's settings",
        )
    unknown = (
        openai.NotFoundError,
        litellm.exceptions.LiteLLMUnknownProvider,
        litellm.exceptions.UnsupportedParamsError,
    )
    if isinstance(error, unknown):
        return Unavailable(
            f"the model provider does not know this model: {said}",
            code="model_unknown",
            hint="check the model's name in the deployment's settings",
        )
    if _is_refusal(error):
        return Rejected(f"the model provider refuses this text: {said}", code="model_rejected")
    if isinstance(error, openai.APITimeoutError):
        return Unavailable("the model provider did not answer in time", code="model_timeout")
    return Unavailable(f"the model provider failed ({type(error).__name__}): {said}", code="model_unavailable")


def _is_refusal(error: Exception) -> bool:
    """Whether the provider itself refused the text for good.

    litellm also makes a bad request of a success that holds an error; only a real one has the headers of its response.
    """
    import openai

    litellm = load()
    if isinstance(error, litellm.ContextWindowExceededError | litellm.ContentPolicyViolationError):
        return True
    refused = isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError)
    return refused and bool(getattr(error, "litellm_response_headers", None))


def _wait(error: Exception, said: str) -> Delayed:
    if "insufficient_quota" in said:
        return Delayed("the model account's quota is used up", seconds=QUOTA_WAIT)
    headers = {
        str(name).lower(): str(value)
        for name, value in (getattr(error, "litellm_response_headers", None) or {}).items()
    }
    return Delayed("the model provider asks to wait", seconds=retry_after(headers, datetime.now(UTC)))
