"""One provider endpoint: requests out, bounded bytes back.

A connection lives as long as one call. Between two invocations a function is frozen, and a connection kept over that
may be dead without anyone knowing; opening one costs a fraction of what a model takes.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.adapters.openai_api.failures import failure
from shared.domain.errors import Unavailable

if TYPE_CHECKING:
    import ssl

    import httpx

OPENAI = "https://api.openai.com/v1"
_ERROR_BODY = 64 * 1024
Body = dict[str, object]


class Endpoint:
    """A base URL with its key.

    Redirects are not followed (they could carry the key elsewhere), compressed answers not read (they could unpack to
    any size), and no environment variable or file beside the settings is heeded.
    """

    def __init__(self, base_url: str, api_key: str, *, connect: float = 5.0, silence: float = 60.0) -> None:
        """Nothing is contacted yet.

        Args:
            base_url: from the settings; empty for OpenAI itself.
            api_key: from the settings.
            connect: seconds to wait for a connection.
            silence: seconds to wait for the next byte.

        Raises:
            Unavailable: the URL or the key cannot be used.
        """
        self.base_url = (base_url or OPENAI).rstrip("/")
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unavailable("the model base URL is not an http or https address", code="not_configured")
        self.key = api_key.strip()
        if not self.key.isascii() or not self.key.isprintable():
            raise Unavailable("the model key holds characters that no key has", code="not_configured")
        self._headers = {"Accept-Encoding": "identity", "User-Agent": "lambent"}
        if self.key:
            self._headers["Authorization"] = f"Bearer {self.key}"
            if parts.hostname.endswith(".azure.com"):
                self._headers["api-key"] = self.key
        self._connect, self._silence = connect, silence

    @asynccontextmanager
    async def post(self, path: str, body: Body, *, seconds: float, limit: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send JSON; inside the block, the bytes of a successful response as they come.

        Args:
            path: below the base URL.
            body: to be sent as JSON.
            seconds: for the whole call.
            limit: bytes that are read at most.

        Raises:
            Delayed: 429.
            Rejected: the provider will never take this body.
            Unavailable: anything else: no connection, silence, too slow, too long, cut off, an error status.
        """
        import httpx

        deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with self._client() as client:
                request = client.build_request("POST", f"{self.base_url}{path}", json=body, headers=self._headers)
                async with asyncio.timeout_at(deadline):
                    response = await client.send(request, stream=True)
                try:
                    chunks = _bounded(response, deadline, limit)
                    if response.status_code != 200:
                        raise await self._failure(response, chunks)
                    if response.headers.get("content-encoding", "identity") != "identity":
                        raise Unavailable("the model provider sent compressed data unasked", code="model_malformed")
                    yield chunks
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Unavailable("the model provider did not answer in time", code="model_timeout") from error
        except httpx.HTTPError as error:
            what = "is not reached" if isinstance(error, httpx.ConnectError) else "broke the connection"
            raise Unavailable(
                f"the model provider {what} ({type(error).__name__})", code="model_unreachable"
            ) from error

    async def json(self, path: str, body: Body, *, seconds: float, limit: int) -> object:
        """Send JSON and read a JSON answer.

        Raises:
            Delayed: see `post`.
            Rejected: see `post`.
            Unavailable: see `post`; or the answer is not JSON.
        """
        async with self.post(path, body, seconds=seconds, limit=limit) as chunks:
            answer = b"".join([chunk async for chunk in chunks])
        try:
            return json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise Unavailable("the model provider's answer is not JSON", code="model_malformed") from error

    def _client(self) -> "httpx.AsyncClient":
        import httpx

        timeout = httpx.Timeout(self._silence, connect=self._connect)
        verify = _tls() if self.base_url.startswith("https:") else False
        return httpx.AsyncClient(timeout=timeout, verify=verify, follow_redirects=False, trust_env=False)

    async def _failure(self, response: "httpx.Response", chunks: AsyncIterator[bytes]) -> Exception:
        read = b""
        async for chunk in chunks:
            read += chunk
            if len(read) >= _ERROR_BODY:
                break
        return failure(response.status_code, response.headers, read[:_ERROR_BODY], self.key)


@cache
def _tls() -> "ssl.SSLContext":
    """Certificates take 20 ms to read; they are read once."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


async def _bounded(response: "httpx.Response", deadline: float, limit: int) -> AsyncIterator[bytes]:
    """A response's bytes until the deadline and up to the limit."""
    read = 0
    raw = aiter(response.aiter_raw())
    while True:
        async with asyncio.timeout_at(deadline):
            chunk = await anext(raw, None)
        if chunk is None:
            return
        read += len(chunk)
        if read > limit:
            raise Unavailable(f"the model provider's answer is longer than {limit} bytes", code="model_malformed")
        yield chunk
