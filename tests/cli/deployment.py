"""The real handlers behind a loopback port: what a command sends is what the functions get, uploads and mail too."""

import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shared.local.inbox import Message
from tests.cli.fake_api import parts_of
from tests.functions.gateway import Answer
from tests.functions.world import World

UPLOADS = "/objects"


class Deployment:
    """A world that listens.

    Attributes:
        url: the base of its API.
        requests: method, path and credential of each request.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.url = ""
        self.requests: list[tuple[str, str, str]] = []
        self.refused: list[int] = []
        """Statuses of the next answers, given before anything else is looked at."""
        self._lock = threading.Lock()

    def messages(self) -> tuple[Message, ...]:
        """The inbox, as the local cloud's tells it."""
        return tuple(
            Message(number, "2026-03-02T09:00:00+00:00", "lambent@example.com", (mail.to,), mail.subject, mail.text)
            for number, mail in enumerate(self.world.mailer.sent, 1)
        )

    def code(self, to: str) -> str:
        """The code in the latest message to an address."""
        return self.world.mailed(to)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """One request. The handlers of one process take one at a time."""
        asked = urlsplit(target)
        # What functions log goes elsewhere than what commands print.
        with self._lock, redirect_stdout(io.StringIO()):
            self.requests.append((method, asked.path, headers.get("Authorization", "")))
            if self.refused:
                return Answer(self.refused.pop(0), {"content-type": "application/json"}, '{"message": "no"}')
            if asked.path == UPLOADS:
                return self._uploaded(headers, body)
            query = dict(parse_qsl(asked.query))
            found = self.world.api(method, asked.path, body.decode() or None, query=query, headers=headers)
        return self._with_address(found) if (method, asked.path) == ("POST", "/api/v1/documents") else found

    def _uploaded(self, headers: dict[str, str], body: bytes) -> Answer:
        parts = parts_of(headers["Content-Type"], body)
        file = parts.pop("file")
        fields = {name: value.decode() for name, value in parts.items()}
        self.world.blobs.submit(fields, file)
        self.world.settle()
        return Answer(204, {}, "")

    def _with_address(self, found: Answer) -> Answer:
        slot: dict[str, Any] = found.json
        if slot.get("upload"):
            slot["upload"]["url"] = self.url + UPLOADS
        return Answer(found.status, found.headers, json.dumps(slot))


@contextmanager
def listening(world: World) -> Iterator[Deployment]:
    """Serve a world while the block runs."""
    deployment = Deployment(world)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(deployment))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    deployment.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield deployment
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def _handler(deployment: Deployment) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            # API Gateway hands headers over under the names they came by; what is matched is written as it sends them.
            sent = {re.sub(r"\b[a-z]", lambda one: one[0].upper(), name): value for name, value in self.headers.items()}
            found = deployment.answer(self.command, self.path, sent, self.rfile.read(length))
            body = found.body.encode()
            self.send_response(found.status)
            for name, value in found.headers.items():
                if name.lower() != "content-length":
                    self.send_header(name, value)
            if found.status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - as http.server calls them

        def log_message(self, format: str, *args: object) -> None:
            """Tests print nothing."""

    return Handler
