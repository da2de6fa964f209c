"""Calling botocore, which blocks, from a coroutine, and what its errors mean here."""

import asyncio
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters.aws.answers import refused
from shared.domain.errors import LambentError, NotFound, Outage
from shared.ports.blobs import FORBIDDEN

MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound", "405", "MethodNotAllowed"})
"""Codes of an absent object.

405 answers the reading of a delete marker; a HEAD has no body and so only the bare status.
"""

REFUSED = frozenset({"AccessDenied", "403", "Forbidden"})


async def call[Result](doing: str, function: Callable[[], Result], *, of_object: bool = False) -> Result:
    """Run a blocking call in a thread, so that several run at once.

    Args:
        doing: what is done, for the error: 'reading an object'. No keys, addresses or secrets.
        function: the call.
        of_object: it is about one object, so 'not found' is an answer; elsewhere something is set up wrongly.

    Raises:
        NotFound: `of_object`, and there is no such object.
        Outage: the service cannot be reached, is down or asks to slow down.
        Unavailable: anything else.
    """
    try:
        return await asyncio.to_thread(function)
    except (ClientError, BotoCoreError) as error:
        raise translated(error, doing, of_object=of_object) from error


def translated(error: ClientError | BotoCoreError, doing: str, *, of_object: bool = False) -> LambentError:
    """The error as the domain knows it. Its text has the service's code and nothing of the request."""
    if not isinstance(error, ClientError):
        return Outage(f"{doing} failed: {type(error).__name__}")
    # botocore leaves parts out when the answer was not the service's own, such as a gateway's page.
    answer: dict[str, Any] = dict(error.response)
    code = str(answer.get("Error", {}).get("Code", "Unknown"))
    if of_object and code in MISSING:
        return NotFound(f"{doing} failed: there is no such object", code="object_not_found")
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", "no status")
    return refused(doing, code, status, as_code=FORBIDDEN if of_object and code in REFUSED else None)
