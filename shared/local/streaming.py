"""The answer of a streaming function, taken apart: status and headers first, then the body as it comes."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from shared.local.errors import InvokeFailed
from shared.local.invocation import Invocation

# The runtime announces by this content type that the body begins with a JSON prelude.
_INTEGRATION = "application/vnd.awslambda.http-integration-response"
_DELIMITER = b"\0" * 8
_MAX_PRELUDE = 64 * 1024


@dataclass(frozen=True, slots=True)
class StreamedResponse:
    """An HTTP answer whose body is still on the way.

    Attributes:
        headers: names and values in order; a name may come more than once.
        body: the pieces as they come; raises StreamBroken when the function fails before the end.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: AsyncIterator[bytes]


async def respond(invocation: Invocation) -> StreamedResponse:
    """Reads the beginning of the answer of a streaming function, or of one that answered in one piece after all.

    Raises:
        InvokeFailed: the function failed before the first piece, or answered something that is not an HTTP response.
    """
    await invocation.begun()
    if invocation.content_type == _INTEGRATION:
        return await _streamed(invocation)
    result = await invocation.outcome()
    return _buffered(result.json())


async def _streamed(invocation: Invocation) -> StreamedResponse:
    pieces = invocation.pieces()
    head = b""
    async for piece in pieces:
        head += piece
        if _DELIMITER in head:
            prelude, _, rest = head.partition(_DELIMITER)
            return _with_prelude(prelude, _after(rest, pieces))
        if len(head) > _MAX_PRELUDE:
            break
    raise InvokeFailed("the streamed answer has no prelude: JSON with the status, then eight NUL bytes")


def _with_prelude(prelude: bytes, body: AsyncIterator[bytes]) -> StreamedResponse:
    try:
        fields = json.loads(prelude or b"{}")
        status = int(fields.get("statusCode", 200))
        headers = _headers(fields)
    except (ValueError, AttributeError) as error:
        raise InvokeFailed(f"the prelude of the streamed answer does not parse: {error}") from error
    return StreamedResponse(status, headers, body)


def _headers(fields: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    single, multiple, cookies = (fields.get(name) or {} for name in ("headers", "multiValueHeaders", "cookies"))
    found: list[tuple[str, str]] = []
    if isinstance(multiple, Mapping):
        found += [(str(name), str(value)) for name, values in multiple.items() for value in values]
    taken = {name.lower() for name, _ in found}
    if isinstance(single, Mapping):
        found += [(str(name), str(value)) for name, value in single.items() if str(name).lower() not in taken]
    if isinstance(cookies, list):
        found += [("set-cookie", str(cookie)) for cookie in cookies]
    return tuple(found)


def _buffered(answer: object) -> StreamedResponse:
    if not isinstance(answer, dict) or "statusCode" not in answer:
        raise InvokeFailed("the function did not answer an HTTP response")
    body = str(answer.get("body") or "").encode()
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else body
    return StreamedResponse(int(answer["statusCode"]), _headers(answer), _once(content))


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for piece in pieces:
        yield piece
