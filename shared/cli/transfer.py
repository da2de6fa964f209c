"""Files to and from the object store, by the forms and links the API gives."""

import io
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import httpx

from shared.cli.connections import open_http
from shared.cli.errors import CliError, UploadRefused
from shared.cli.shapes.documents import Form

TIMEOUT = httpx.Timeout(120.0, connect=10.0)
TRIES = 3
RETRY_SECONDS = 0.5
PIECE = 256 * 1024
_CODE = re.compile(r"<Code>([^<]{1,100})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,500})</Message>")
_MEANING = {
    "EntityTooLarge": "the file is larger than this deployment takes",
    "AccessDenied": "the form has expired or does not fit the file",
}


class Stopped(CliError):
    """The person pressed Ctrl-C while a file was on its way."""


class Uploader:
    """Sends files; one for many threads.

    Args:
        stop: set to give up soon.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._made: dict[str, httpx.Client] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close every connection."""
        for client in self._made.values():
            client.close()

    def send(self, form: Form, file: Path, on_bytes: Callable[[int], None]) -> None:
        """Send a file with a form: every field first, then the file, read while it is sent.

        It is tried again when the connection breaks.

        Args:
            form: as the API gave it.
            file: what to send.
            on_bytes: told how many bytes more were read; negative when they must be sent again.

        Raises:
            UploadRefused: the object store says no, or cannot be reached.
            Stopped: `stop` was set.
        """
        for attempt in range(1, TRIES + 1):
            with _Watched(file, on_bytes, self._stop) as watched:
                try:
                    response = self._client(form["url"]).post(
                        form["url"], data=form["fields"], files={"file": ("file", watched, "application/octet-stream")}
                    )
                except httpx.TransportError as error:
                    if attempt == TRIES:
                        raise UploadRefused(
                            f"the connection to the object store broke: {error}",
                            code="upload_broken",
                            hint="run the command again",
                        ) from error
                else:
                    if response.is_success:
                        return
                    if response.status_code < 500 or attempt == TRIES:
                        raise _refused(response)
                on_bytes(-watched.read_bytes)
            if self._stop.wait(RETRY_SECONDS * 2**attempt):
                raise Stopped("stopped", code="stopped")

    def _client(self, url: str) -> httpx.Client:
        store = url.partition("?")[0]
        with self._lock:
            if store not in self._made:
                self._made[store] = open_http(url, TIMEOUT)
            return self._made[store]


class _Watched(io.BufferedReader):
    """A file that tells how much of it was read, and stops being read when asked to."""

    def __init__(self, path: Path, on_bytes: Callable[[int], None], stop: threading.Event) -> None:
        super().__init__(io.FileIO(path))
        self._on_bytes = on_bytes
        self._stop = stop
        self.read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if self._stop.is_set():
            raise Stopped("stopped", code="stopped")
        piece = super().read(size)
        self.read_bytes += len(piece)
        self._on_bytes(len(piece))
        return piece


def download(link: str, to: BinaryIO) -> int:
    """Fetch a link into a file; returns the number of bytes.

    Raises:
        CliError: the object store does not give it.
    """
    count = 0
    try:
        with _opened(link) as response:
            for piece in response.iter_bytes(PIECE):
                count += to.write(piece)
    except httpx.TransportError as error:
        raise CliError(f"the download broke off: {error}", code="download_broken", hint="try again") from error
    return count


@contextmanager
def _opened(link: str) -> Iterator[httpx.Response]:
    with open_http(link, TIMEOUT) as http, http.stream("GET", link) as response:
        if not response.is_success:
            response.read()
            raise _refused(response)
        yield response


def _refused(response: httpx.Response) -> UploadRefused:
    """The object store's XML in words."""
    code = found.group(1) if (found := _CODE.search(response.text)) else f"status {response.status_code}"
    message = found.group(1) if (found := _MESSAGE.search(response.text)) else ""
    words = _MEANING.get(code) or message or "it gave no reason"
    return UploadRefused(
        f"the object store refused: {code}: {words}",
        code="upload_refused",
        hint="run the command again for a fresh form",
    )
