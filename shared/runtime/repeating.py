"""Answers that are given again, but not as they were written down: what they hold would be stale, or was not kept."""

import json
from typing import Any, cast
from uuid import UUID

from shared.domain.idempotency import KeptAnswer
from shared.domain.tenants import Scope, TenantScope
from shared.runtime.repeats import Again
from shared.runtime.transactions import transaction


async def again(how: Again, scope: TenantScope, kept: KeptAnswer) -> str:
    """The body of an answer that was good.

    Args:
        how: what its route says.
        scope: of whoever asks, who is whoever asked.
        kept: not erased.

    Raises:
        NotFound, Conflict: what it tells of is not there any more, or not as it was.
    """
    said = json.loads(kept.body or "{}")
    if how is Again.MAIL:
        if not kept.finished:
            from shared.runtime.joining import mailed_again

            await mailed_again(scope, UUID(said["id"]))
        return kept.body or ""
    if how is Again.UPLOAD:
        return await _with_form(cast(Scope, scope), said)
    return await _exchange(cast(Scope, scope), said, events=how is Again.EXCHANGE_EVENTS)


async def _with_form(scope: Scope, said: dict[str, Any]) -> str:
    if not said["unchanged"]:
        from shared.runtime.uploads import renewed

        form = await renewed(scope, UUID(said["document"]["id"]), said["version"])
        said["upload"] = None if form is None else form.model_dump(mode="json")
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


async def _exchange(scope: Scope, said: dict[str, str], *, events: bool) -> str:
    from shared.runtime.messages import AnswerOut, MessageOut
    from shared.usecases.chats.converse import exchange

    async with transaction(scope) as ports:
        question, answer = await exchange(
            scope, ports, UUID(said["chat_id"]), UUID(said["question_id"]), UUID(said["answer_id"])
        )
    found = AnswerOut(question=MessageOut.of(question), answer=MessageOut.of(answer))
    if not events:
        return found.model_dump_json()
    from shared.runtime.events import sse

    return sse("answer", found.model_dump(mode="json"))
