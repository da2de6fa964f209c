"""Score an index against the searched one, on the collection's own questions or on questions made from it.

load   one transaction: the questions, and the collection as seen through both indexes
ask    no transaction for the models, one for each question's two searches
store  one transaction: the scores on the index
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from shared.domain.chunks import Chunk
from shared.domain.collections import Collection
from shared.domain.documents import DocumentStatus
from shared.domain.errors import Conflict
from shared.domain.indexes import Index, IndexState, Progress, Scores, seen_through
from shared.domain.questions import DEPTH, GENERATED, Question, known_items, score
from shared.domain.search import SearchQuery
from shared.domain.tenants import Permission, Scope
from shared.ports.documents import DocumentFilter
from shared.ports.ports import Ports, Powers
from shared.usecases.search import retrieve

log = structlog.get_logger()

SAMPLED = 50
"""Documents that questions are made from."""
CHUNKS_EACH = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked, of which two."""

    old: Collection
    new: Collection
    questions: Sequence[Question]
    generated: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What both gave for one question."""

    question: Question
    old: Sequence[Chunk] | None
    new: Sequence[Chunk]


async def load(scope: Scope, ports: Ports, index_id: UUID) -> Trial | None:
    """The questions and both views; None when the index is not to be scored."""
    index = await ports.indexes.get(scope, index_id)
    collection = None if index is None else await ports.collections.get(scope, index.collection_id)
    if index is None or collection is None or index.state is not IndexState.BUILDING:
        return None
    own = await ports.indexes.questions(scope, collection.id)
    questions = own or known_items(await _sample(scope, ports, collection), GENERATED)
    return Trial(collection, seen_through(collection, index), questions, not own)


async def embed(powers: Powers, trial: Trial, question: Question) -> retrieve.Question:
    """The question by the models of both; without the old one when that is not configured any more."""
    query = SearchQuery(question.text, (trial.new.id,), limit=DEPTH)
    asked = await retrieve.embed_question(powers, query, [trial.new.model.name])
    if trial.old.model.name in asked.vectors:
        return asked
    try:
        return await retrieve.embed_further(powers, asked, [trial.old.model.name])
    except Conflict:
        return asked


async def ask(scope: Scope, ports: Ports, trial: Trial, question: Question, asked: retrieve.Question) -> Found:
    """What each finds."""
    new = await retrieve.retrieve(scope, ports, asked, [trial.new])
    if trial.old.model.name not in asked.vectors:
        return Found(question, None, [hit.source.chunk for hit in new.hits])
    old = await retrieve.retrieve(scope, ports, asked, [trial.old])
    return Found(question, [hit.source.chunk for hit in old.hits], [hit.source.chunk for hit in new.hits])


async def store(scope: Scope, ports: Ports, index_id: UUID, trial: Trial, found: Sequence[Found]) -> Index | None:
    """Write the scores, and call the index ready if it is still whole; None when it is not."""
    index = await ports.indexes.get(scope, index_id, lock=True)
    live = None if index is None else await ports.indexes.get(scope, trial.old.index_id)
    if index is None or live is None or index.state is not IndexState.BUILDING:
        return None
    progress = await ports.indexes.progress(scope, index, live)
    if not progress.settled:
        return None
    now = ports.clock.now()
    old = [(one.question, one.old) for one in found if one.old is not None]
    scores = Scores(
        old=score(old) if len(old) == len(found) else None,
        new=score([(one.question, one.new) for one in found]),
        questions=len(found),
        generated=trial.generated,
        at=now,
    )
    ready = replace(index, state=IndexState.READY, changed_at=now, scores=scores, problem=_failures(progress))
    await ports.indexes.save(scope, ready)
    log.info("reindex.scored", index_id=str(index.id), questions=len(found), ndcg=scores.new.ndcg)
    return ready


def _failures(progress: Progress) -> str:
    if not progress.failed:
        return ""
    told = f"{progress.failed} of {progress.documents} searched documents failed in it"
    return f"{told}: retry or delete them, or promote it despite failures"


async def _sample(scope: Scope, ports: Ports, collection: Collection) -> list[Chunk]:
    """The first chunks of the newest documents."""
    scope.require(Permission.DOCUMENTS_READ)
    wanted = DocumentFilter(collection_id=collection.id, status=DocumentStatus.INDEXED)
    chunks: list[Chunk] = []
    for document in await ports.documents.list(scope, wanted, None, SAMPLED):
        if document.committed_generation is not None:
            chunks += await ports.chunks.list(scope, document.id, document.committed_generation, limit=CHUNKS_EACH)
    return chunks
