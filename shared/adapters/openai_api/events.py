"""Server-sent events, as they arrive in pieces."""

import codecs
from collections.abc import AsyncIterator

from shared.domain.errors import Unavailable

MAX_EVENT = 1024 * 1024


async def event_data(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The data of each event (WHATWG HTML §9.2.6: lines may end in CR, LF or both; several data lines are one text).

    Raises:
        Unavailable: an event that is longer than a megabyte, or bytes that are not UTF-8.
    """
    data: list[str] = []
    async for line in _lines(chunks):
        if line.startswith("data"):
            name, _, value = line.partition(":")
            if name == "data":
                data.append(value.removeprefix(" "))
        elif not line and data:
            yield "\n".join(data)
            data = []
    # A last event without its empty line is cut off; but some servers end so.
    if data:
        yield "\n".join(data)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    rest = ""
    async for chunk in chunks:
        try:
            rest += decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise Unavailable("the model provider's stream is not UTF-8", code="model_malformed") from error
        # A CR at the end may be the first half of a line end.
        held = "\r" if rest.endswith("\r") else ""
        *lines, rest = rest[: len(rest) - len(held)].replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest += held
        for line in lines:
            yield line
        if len(rest) > MAX_EVENT:
            raise Unavailable("the model provider's stream holds an endless event", code="model_malformed")
    if rest:
        yield rest.rstrip("\r")
