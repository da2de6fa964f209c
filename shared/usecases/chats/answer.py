"""Answer a question of a chat from its collections, with citations that were checked.

prepare   one transaction: the chat, its history, and the passages that speak of the question
generate  no transaction: the model writes, text is handed on as it comes
record    one transaction: citations checked against what the caller may read, both turns stored
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

import structlog

from shared.domain.chats import Chat, Message, Passage, Receipt, Role, history_within, title_of
from shared.domain.citations import CheckedAnswer, check
from shared.domain.errors import Invalid, Unavailable
from shared.domain.prompts import Prompt, build
from shared.domain.search import SearchQuery, VisibleChunk
from shared.domain.tenants import Permission, Scope
from shared.ports.llm import Finished, TextDelta
from shared.ports.meter import Unit
from shared.ports.ports import Ports, Powers
from shared.usecases.chats.converse import get_chat
from shared.usecases.search.retrieve import Question, retrieve

log = structlog.get_logger()

PASSAGES = 8
HISTORY_MESSAGES = 40
HISTORY_CHARACTERS = 12_000
MAX_QUESTION = 4000


@dataclass(slots=True)
class Draft:
    """An answer being made; `text` and `finished` grow while the model writes."""

    chat: Chat
    question: str
    prompt: Prompt
    sources: Mapping[int, VisibleChunk]
    milliseconds: dict[str, float]
    text: str = ""
    finished: Finished | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Both turns as stored."""

    question: Message
    answer: Message
    checked: CheckedAnswer
    metadata: Mapping[str, object] = field(default_factory=dict)


def query_of(chat: Chat, question: str) -> SearchQuery:
    """The search behind a question.

    Raises:
        Invalid: the question is empty or over 4000 characters.
    """
    if not question.strip():
        raise Invalid("the question is empty", code="empty_question")
    if len(question) > MAX_QUESTION:
        raise Invalid(f"the question has {len(question)} characters; {MAX_QUESTION} at most", code="question_too_long")
    return SearchQuery(question, chat.collection_ids, limit=PASSAGES)


async def prepare(scope: Scope, ports: Ports, chat_id: UUID, question: Question) -> Draft:
    """Find the passages and build the prompt.

    Raises:
        NotFound: no such chat of this principal, or one of its collections is gone.
    """
    scope.require(Permission.CHATS_WRITE)
    chat = await get_chat(scope, ports, chat_id)
    earlier = history_within(await ports.chats.messages(scope, chat.id, HISTORY_MESSAGES), HISTORY_CHARACTERS)
    found = await retrieve(scope, ports, question)
    sources = {number: hit.source for number, hit in enumerate(found.hits, start=1)}
    passages = tuple(
        Passage(
            number,
            hit.source.chunk.id,
            hit.source.document_name,
            hit.source.chunk.heading_path,
            hit.source.chunk.text,
            hit.score,
        )
        for number, hit in enumerate(found.hits, start=1)
    )
    prompt = build(question.query.text, passages, earlier)
    return Draft(chat, question.query.text, prompt, sources, dict(found.milliseconds))


async def generate(powers: Powers, draft: Draft) -> AsyncIterator[str]:
    """Let the model write into the draft; yields the text as it comes.

    Raises:
        Unavailable: the model ended without saying so.
    """
    started = powers.clock.monotonic()
    async for event in powers.llm.stream(draft.prompt):
        if isinstance(event, TextDelta):
            if not draft.text and event.text:
                draft.milliseconds["first_token"] = round((powers.clock.monotonic() - started) * 1000, 3)
            draft.text += event.text
            yield event.text
        else:
            draft.finished = event
    if draft.finished is None:
        raise Unavailable("the model stopped in the middle of its answer", code="model_cut_off", hint="ask again")
    spent = (powers.clock.monotonic() - started) * 1000
    draft.milliseconds["model"] = round(spent, 3)
    powers.meter.add("model_ms", spent, Unit.MILLISECONDS, kind="answer")
    powers.meter.add("model_tokens", draft.finished.input_tokens + draft.finished.output_tokens, kind="answer")
    log.info(
        "model.answered", model=draft.finished.model, output_tokens=draft.finished.output_tokens, ms=round(spent, 1)
    )


async def record(scope: Scope, ports: Ports, draft: Draft) -> Answer:
    """Check every citation against what is readable now, and store both turns."""
    scope.require(Permission.CHATS_WRITE)
    chat = await get_chat(scope, ports, draft.chat.id)
    readable = await ports.chunks.visible(scope, [source.chunk.id for source in draft.sources.values()])
    sources = {number: source for number, source in draft.sources.items() if source.chunk.id in readable}
    started = ports.clock.monotonic()
    checked = check(draft.text, sources)
    draft.milliseconds["check"] = round((ports.clock.monotonic() - started) * 1000, 3)
    now = ports.clock.now()
    finished = draft.finished
    receipt = Receipt(
        model=finished.model if finished else ports.llm.name,
        input_tokens=finished.input_tokens if finished else 0,
        output_tokens=finished.output_tokens if finished else 0,
        milliseconds=draft.milliseconds,
    )
    asked = Message(ports.ids.new(), chat.id, Role.USER, draft.question, now)
    answered = Message(
        id=ports.ids.new(),
        chat_id=chat.id,
        role=Role.ASSISTANT,
        content=checked.text,
        created_at=now,
        citations=checked.citations,
        sentences=checked.sentences,
        found=checked.found,
        receipt=receipt,
    )
    await ports.chats.add_messages(scope, [asked, answered])
    await ports.chats.save(scope, replace(chat, title=chat.title or title_of(draft.question), updated_at=now))
    return Answer(asked, answered, checked)
