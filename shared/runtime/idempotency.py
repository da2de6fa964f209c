"""A request with an Idempotency-Key is done once, and answered as often as it is asked.

The key's row is written in the transaction that makes the thing, so both are there or neither is. Meanwhile a lock of
that transaction says that the request is under way; of a request that takes several transactions a lease does, which
its last one turns into the answer, or finds lost. What is kept: what the route answered once it had begun, that is
success, and refusals by how things stand (403, 404, 409). What never began (401, 422, 429, a missing permission) and
what broke (5xx) is not.

Powertools' idempotency does not serve here: it notes a request in a transaction of its own before and another behind
the work, so that a crash between leaves one without the other; it calls its store synchronously, within our event
loop; and its import takes 179 ms.

Loaded when the first key comes.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import structlog
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from shared.domain.errors import InvalidKey, LambentError
from shared.domain.idempotency import KEY, Claim, KeptAnswer, erased, fingerprint, ids_in, key_hash
from shared.domain.tenants import TenantScope
from shared.domain.users import UserScope
from shared.ports.ports import Ports
from shared.runtime.invocation import seconds_left
from shared.runtime.repeats import ONCE, Again
from shared.runtime.transactions import transaction
from shared.runtime.web import ATTEMPT, KEY_HEADER, Handler, Request, Response

REPLAYED = "Idempotent-Replayed"
LONGEST = 900.0
"""Seconds that the platform lets a function run at the most."""
REFUSALS = frozenset({403, 404, 409})
"""What is kept of refusals: those that tell how things stood when the request was carried out."""
JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"

BLANKED: Mapping[Again, Mapping[str, object]] = {
    Again.SHOWN_ONCE: {"secret": "", "secret_withheld": True},
    Again.UPLOAD: {"upload": None},
}
"""Members of an answer that are not kept, and what stands for them."""

NOT_AS_WRITTEN = frozenset(Again) - {Again.AS_IT_WAS, Again.SHOWN_ONCE}
"""What is given again otherwise than it was written down."""

log = structlog.get_logger()


class Repeated(Exception):
    """The request was answered before."""

    def __init__(self, answer: KeptAnswer) -> None:
        super().__init__("answered before")
        self.answer = answer


class Attempt:
    """One request with a key."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Args:
        keys: as sent; there should be one.
        """
        self._keys = keys
        self._again: Again | None = None
        self._ports: Ports | None = None
        self._kept = self._told = False
        self._begun = False
        self._claim: Claim | None = None
        self._scope: TenantScope | UserScope | None = None
        self._named: frozenset[UUID] = frozenset()
        self._status = 200

    async def begin(
        self, request: Request, ports: Ports, scope: TenantScope | UserScope, *, several: bool = False
    ) -> None:
        """Claim the key, for whom the scope is of.

        Args:
            request: its body can be read.
            ports: of the transaction that authenticated it.
            scope: whose key it is.
            several: that transaction ends before the work begins.

        Raises:
            Repeated: it was answered before.
            UnderWay, Conflict: somebody has the key at the moment, or used it for something else.
        """
        if self._again is None:
            return
        now = ports.clock.now()
        project_id = getattr(scope, "project_id", None)
        query = request.scope["query_string"].decode("latin-1")
        self._scope = scope
        self._status = request.scope["route"].status_code or 200
        self._named = ids_in({"id": list(request.path_params.values())})
        self._claim = Claim(
            scope.tenant_id if isinstance(scope, TenantScope) else None,
            str(scope.principal),
            key_hash(self._keys[0]),
            fingerprint(request.method, request.scope["path"], query, project_id, await request.body()),
            now,
            project_id,
            ports.ids.new() if several else None,
            now + timedelta(seconds=min(seconds_left(), LONGEST) + 1) if several else None,
        )
        earlier = await ports.idempotency.claim(self._claim)
        if earlier is not None:
            raise Repeated(earlier)
        self._begun = True
        self._ports = None if several else ports

    async def answered(self, handle: Handler, request: Request) -> Response:
        """The route's answer, kept in its transaction; or the one that was kept.

        Args:
            handle: what the route does.
            request: with its route.
        """
        self._again = ONCE.get(request.scope["route"].path)
        if self._again is None:
            return await handle(request)
        if len(self._keys) != 1 or not KEY.fullmatch(self._keys[0]):
            hint = "send one, a UUID say: another for each thing that is to be made, the same with a retry"
            raise InvalidKey("an idempotency key has 1 to 255 printable characters", hint=hint)
        try:
            response = await handle(request)
        except Repeated as repeated:
            return await self._again_of(repeated.answer)
        if self._ports is not None:
            body = bytes(response.body).decode()
            await self._keep(self._ports, response.status_code, dict(response.headers), body)
        return response

    async def note(self, ports: Ports, said: dict[str, str]) -> None:
        """Keep what a request that takes several transactions did, within the last of them.

        Raises:
            Conflict: the lease is lost.
        """
        await self._keep(ports, self._status, {}, json.dumps(said))

    async def settle(self, status: int, headers: dict[str, str], body: str) -> None:
        """The request is over: keep a refusal, give back a lease, note that a message has left."""
        if self._claim is None:
            return
        try:
            if self._begun and not self._kept and status in REFUSALS:
                await self._refuse(self._claim, status, headers, body)
            elif self._begun and self._claim.lease is not None and (not self._kept or status >= 500):
                # What was kept, and committed as far as anybody knows, holds no lease any more.
                async with self._transaction() as ports:
                    await ports.idempotency.release(self._claim)
            elif self._again is Again.MAIL and status < 400 and not self._told:
                async with self._transaction() as ports:
                    await ports.idempotency.finish(self._claim)
        except LambentError as error:
            # What was done is done, and answered; the key is then as free, or as taken, as its row says.
            log.warning("idempotency.not_settled", code=error.code, error=error.detail)

    async def _refuse(self, claim: Claim, status: int, headers: dict[str, str], body: str) -> None:
        async with self._transaction() as ports:
            if claim.lease is None and await ports.idempotency.claim(claim) is not None:
                return
            await self._keep(ports, status, headers, body)

    async def _keep(self, ports: Ports, status: int, headers: dict[str, str], body: str) -> None:
        claim = cast(Claim, self._claim)
        said: Any = json.loads(body) if body else None
        if status < 400 and (blanks := BLANKED.get(cast(Again, self._again))):
            said = {**said, **blanks}
            body = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        headers.pop("content-length", None)
        finished = self._again is not Again.MAIL or status >= 400
        answer = KeptAnswer(status, headers, body, ids_in(said) | self._named, finished)
        await ports.idempotency.keep(claim, answer)
        self._kept = True

    async def _again_of(self, kept: KeptAnswer) -> Response:
        if kept.body is None:
            raise erased()
        self._told = kept.finished
        body, headers = kept.body, {**kept.headers, REPLAYED: "true"}
        if kept.status < 400 and self._again in NOT_AS_WRITTEN:
            from shared.runtime.repeating import again

            body = await again(self._again, cast(TenantScope, self._scope), kept)
            headers.setdefault("content-type", EVENTS if self._again is Again.EXCHANGE_EVENTS else JSON)
        return Response(body, kept.status, headers)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Ports]:
        """A transaction of whoever asks."""
        own = None if isinstance(self._scope, UserScope) else self._scope
        async with transaction(own) as ports:
            if isinstance(self._scope, UserScope):
                await ports.users.enter(self._scope)
            yield ports


class Answering:
    """Passes a good answer on as it comes; one that is none waits until it is decided what is kept of it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: list[Message] = []
        self.status = 500
        """Of the answer; that of a crash when there is none."""

    async def __call__(self, message: Message) -> None:
        """ASGI send."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        if self.status < 400:
            await self._send(message)
        else:
            self._waiting.append(message)

    @property
    def headers(self) -> dict[str, str]:
        """Of an answer that waits."""
        found = [message["headers"] for message in self._waiting if message["type"] == "http.response.start"]
        return {name.decode("latin-1"): value.decode("latin-1") for one in found for name, value in one}

    @property
    def body(self) -> str:
        """Of an answer that waits."""
        return b"".join(message.get("body", b"") for message in self._waiting).decode()

    async def end(self) -> None:
        """Let go what waits."""
        for message in self._waiting:
            await self._send(message)


async def once(app: ASGIApp, scope: AsgiScope, receive: Receive, send: Send) -> None:
    """Answer a request that carries a key.

    Args:
        app: its routes.
        scope: of ASGI.
        receive: of ASGI.
        send: of ASGI.
    """
    keys = [value.decode("latin-1") for name, value in scope["headers"] if name == KEY_HEADER]
    attempt, answering = Attempt(keys), Answering(send)
    scope[ATTEMPT] = attempt
    try:
        await app(scope, receive, answering)
    except Exception:
        await attempt.settle(500, {}, "")
        raise
    await attempt.settle(answering.status, answering.headers, answering.body)
    await answering.end()
