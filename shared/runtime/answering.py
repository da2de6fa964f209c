"""A question taken through its three parts (see shared/usecases/chats/answer.py).

As a stream of events or as a whole.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from shared.runtime.auth import Caller
from shared.runtime.searching import asked
from shared.usecases.chats.answer import Answer, Draft, generate, prepare, query_of, record
from shared.usecases.chats.converse import get_chat


@dataclass(frozen=True, slots=True)
class Delta:
    """Some more text of the answer, not checked yet."""

    text: str


async def answer_events(caller: Caller, chat_id: UUID, question: str) -> AsyncIterator[Draft | Delta | Answer]:
    """The draft with its sources, the text as it is written, and last the checked answer."""
    async with caller.transaction() as ports:
        chat = await get_chat(caller.scope, ports, chat_id)
    draft = await asked(
        caller, query_of(chat, question), lambda ports, found: prepare(caller.scope, ports, chat_id, found)
    )
    yield draft
    async for text in generate(caller.powers, draft):
        yield Delta(text)
    async with caller.transaction() as ports:
        answer = await record(caller.scope, ports, draft)
        if caller.attempt is not None:
            ids = {"chat_id": chat_id, "question_id": answer.question.id, "answer_id": answer.answer.id}
            await caller.attempt.note(ports, {name: str(id) for name, id in ids.items()})
    yield answer


async def whole_answer(caller: Caller, chat_id: UUID, question: str) -> Answer:
    """The checked answer alone."""
    answers = [event async for event in answer_events(caller, chat_id, question) if isinstance(event, Answer)]
    return answers[-1]
