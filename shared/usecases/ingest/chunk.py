"""Cut a generation's text into chunks and count their words."""

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass, replace

from shared.domain.chunking import chunk
from shared.domain.chunks import Chunk, ChunkId, ChunkTerms, matched_text
from shared.domain.collections import Collection
from shared.domain.documents import Counts, Document, Generation, GenerationState, Reason, advance, text_key
from shared.domain.errors import Rejected
from shared.domain.events import Queue
from shared.domain.extracted import Extracted
from shared.domain.extraction import read_extraction
from shared.domain.retrying import TOO_MANY_CHUNKS
from shared.domain.tenants import Scope
from shared.ports.analyser import Analyser
from shared.ports.blobs import Bucket
from shared.ports.ports import Ports, Powers
from shared.usecases.ingest.stage import Claimed, end, save
from shared.usecases.outbox.send import send_step

MAX_CHUNKS = 50_000


@dataclass(frozen=True, slots=True)
class Cut:
    """What came of a text: its chunks and their terms."""

    extracted: Extracted
    title: str
    """What the chunks were matched under: the file's own title, or its name when it has none."""
    chunks: tuple[Chunk, ...]
    terms: tuple[ChunkTerms, ...]


class ChunkStage:
    """text → chunks with spans and terms. Unchanged content under an unchanged recipe ends here."""

    queue = Queue.INGEST_CHUNK

    async def load(self, scope: Scope, ports: Ports, claimed: Claimed) -> Generation | None:
        """The generation committed in the same index, to compare with; None when this one will not be the next to it.

        An older generation that is still on its way is published after this one has ended as unchanged, and would be
        served in its place.
        """
        mine = claimed.generation
        committed = claimed.document.committed_in(mine.slot)
        if committed is None:
            return None
        others = {one.number: one for one in await ports.documents.generations(scope, claimed.document.id)}
        if any(not one.terminal and one.slot == mine.slot and one.number < mine.number for one in others.values()):
            return None
        known = others.get(committed)
        return known if known is not None and known.index == mine.index else None

    async def perform(self, powers: Powers, claimed: Claimed, work: Generation | None) -> Cut | Reason | None:
        """Fetch and cut the text; None when it is what is being served already."""
        generation = claimed.generation
        outcome = read_extraction(await powers.blobs.get(Bucket.WORK, text_key(generation)))
        if isinstance(outcome, Reason):
            return outcome
        if work is not None and work.content_hash == outcome.content_hash and work.recipe == generation.recipe:
            return None
        # Beside the event loop, which has signs of life to give: a long text takes a while.
        return await asyncio.to_thread(cut, claimed.document, generation, claimed.collection, outcome, powers.analyser)

    async def store(self, scope: Scope, ports: Ports, claimed: Claimed, result: Cut | Reason | None) -> None:
        """Write the chunks and hand over to embedding."""
        document, generation, now = claimed.document, claimed.generation, ports.clock.now()
        if isinstance(result, Reason):
            await end(scope, ports, document, generation, result)
            return
        if result is None:
            await save(scope, ports, document, advance(generation, GenerationState.UNCHANGED, now, due=None))
            ports.meter.add("documents_unchanged", 1)
            return
        await ports.chunks.replace(scope, claimed.collection.index_id, document.id, generation.number, result.chunks)
        await ports.keywords.put(scope, claimed.collection.index_id, result.terms)
        described = replace(
            generation,
            content_hash=result.extracted.content_hash,
            title=result.title,
            language=result.extracted.language,
            media_type=result.extracted.media_type,
            warnings=result.extracted.warnings,
            counts=Counts(
                pages=len(result.extracted.pages), characters=len(result.extracted.text), chunks=len(result.chunks)
            ),
        )
        moved = advance(described, GenerationState.EMBEDDING, now, due=ports.pace.patience(GenerationState.EMBEDDING))
        await save(scope, ports, document, moved)
        await send_step(scope, ports, document, moved)

    async def salvage(self, scope: Scope, ports: Ports, claimed: Claimed, result: Cut | Reason | None) -> None:
        """Nothing of it has cost anything."""


def cut(
    document: Document, generation: Generation, collection: Collection, extracted: Extracted, analyser: Analyser
) -> Cut:
    """The chunks of a text and the terms of each: a pure function of its arguments.

    Raises:
        Rejected: nothing to cut, or more chunks than a document may have.
    """
    pieces = chunk(extracted, collection.chunking)
    if not pieces:
        raise Rejected("the file has no text in it", code="no_text")
    if len(pieces) > MAX_CHUNKS:
        raise Rejected(
            f"the text gives {len(pieces)} chunks; {MAX_CHUNKS} at most: split the file", code=TOO_MANY_CHUNKS
        )
    title = extracted.title or document.name
    language = collection.language or extracted.language
    chunks, terms = [], []
    for ordinal, piece in enumerate(pieces):
        text = extracted.text[piece.start : piece.end]
        matched = matched_text(title, piece.heading_path, text)
        made = Chunk(
            id=ChunkId(document.id, generation.number, ordinal),
            text=text,
            start=piece.start,
            end=piece.end,
            content_hash=hashlib.sha256(matched.encode()).hexdigest(),
            heading_path=piece.heading_path,
            page_first=piece.page_first,
            page_last=piece.page_last,
            kind=piece.kind,
            tokens=piece.tokens,
            language=language,
        )
        words = analyser.terms(matched, language)
        chunks.append(made)
        terms.append(ChunkTerms(made.id, dict(Counter(words)), len(words)))
    return Cut(extracted, title, tuple(chunks), tuple(terms))
