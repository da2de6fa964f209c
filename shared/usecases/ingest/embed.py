"""Give every chunk its vector, computing only those that are not known yet."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shared.domain.chunks import Chunk, ChunkVector, matched_text
from shared.domain.documents import Generation, GenerationState, Progress, Reason, advance
from shared.domain.errors import Conflict, Delayed, Rejected, Unavailable
from shared.domain.events import Queue
from shared.domain.ingestions import CANCELLED
from shared.domain.tenants import Scope
from shared.ports.embedder import Purpose
from shared.ports.meter import Unit
from shared.ports.ports import Ports, Powers
from shared.usecases.ingest.stage import Claimed, end, save, settle, wait
from shared.usecases.ingest.turns import Turn, Turns, Whose
from shared.usecases.outbox.send import send_step

BUDGET_SECONDS = 200.0
"""After this much embedding a long document is handed back to the queue with what it has, well before the function's
timeout.
"""

OTHERS_SECONDS = 5.0
"""How soon a document looks again whether a text it shares has been embedded for another."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Chunks of a generation and the vectors known already, by content hash."""

    title: str
    chunks: Sequence[Chunk]
    known: Mapping[str, Sequence[float]]
    turn: Turn
    """How many requests this run may make; when it is to wait first, it makes none."""
    others: frozenset[str] = frozenset()
    """Texts that another document has as well, for which they are being embedded right now."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What this run has: all vectors, or some and the reason to go on later."""

    texts: Texts
    fresh: Mapping[str, Sequence[float]]
    tokens: int = 0
    milliseconds: float = 0.0
    pause: Delayed | None = None
    """Set when the provider itself asked to wait."""
    rejected: Rejected | None = None
    missing: int = 0
    failure: Unavailable | None = None
    """Not raised, as nothing of this is: what was embedded before is paid for and must be kept."""


class EmbedStage:
    """chunks → vectors. Texts that this tenant has had embedded by the same model are never embedded again."""

    queue = Queue.INGEST_EMBED

    def __init__(self, requests_per_minute: int = 0) -> None:
        """Make the stage.

        Args:
            requests_per_minute: what the provider allows this deployment in all; 0 for no limit.
        """
        self._turns = Turns(requests_per_minute)

    async def load(self, scope: Scope, ports: Ports, claimed: Claimed) -> Texts:
        """Chunks and known vectors; takes what the provider's rate limit asks for.

        Raises:
            Conflict: this deployment cannot embed with the collection's model.
        """
        model = claimed.collection.model
        embedder = ports.embedders.of(model.name)
        if model.dimensions != embedder.model.dimensions:
            raise Conflict(
                f"the index has vectors of {model.dimensions} dimensions, "
                f"and {model.name} gives {embedder.model.dimensions} here",
                code="model_unavailable",
            )
        chunks = await ports.chunks.list(scope, claimed.document.id, claimed.generation.number)
        hashes = sorted({chunk.content_hash for chunk in chunks})
        # In this order: what is under way no longer has been stored.
        number, now = claimed.generation.number, ports.clock.now()
        others = await ports.cache.under_way(scope, claimed.document.id, number, hashes, now)
        known = await ports.cache.get(scope, model.name, hashes)
        others -= known.keys()
        turn = Turn(0)
        if own := sum(one not in known and one not in others for one in hashes):
            requests = -(-own // embedder.batch_size)
            turn = Turn(requests)
            if embedder.remote or self._turns.limited:
                granted = await self._turns.granted(ports, model.name, claimed.granted)
                turn = granted or await self._turns.ask(ports, model.name, requests, _whose(claimed))
        return Texts(claimed.generation.title, chunks, known, turn, frozenset(others))

    async def perform(self, powers: Powers, claimed: Claimed, work: Texts) -> Embedded:
        """Embed the unknown texts batch by batch.

        Until all are done, the provider says stop, or the requests of this turn or the time are used up.
        """
        wanted = {
            chunk.content_hash: matched_text(work.title, chunk.heading_path, chunk.text)
            for chunk in work.chunks
            if chunk.content_hash not in work.known and chunk.content_hash not in work.others
        }
        embedder = powers.embedders.of(claimed.collection.model.name)
        hashes, size = list(wanted), embedder.batch_size
        started, tokens = powers.clock.monotonic(), 0
        claimed.achieved.total = len(work.chunks)
        claimed.achieved.done = len(work.chunks) - len(hashes)
        fresh: dict[str, Sequence[float]] = {}
        pause: Delayed | None = None
        rejected: Rejected | None = None
        failure: Unavailable | None = None
        allowed = 0 if work.turn.seconds else work.turn.requests
        for first in range(0, len(hashes), size)[:allowed]:
            if powers.clock.monotonic() - started > BUDGET_SECONDS:
                break
            batch = hashes[first : first + size]
            try:
                made = await embedder.embed([wanted[one] for one in batch], Purpose.DOCUMENT)
            except Delayed as error:
                pause = error
                break
            except Rejected as error:
                rejected = error
                break
            except Unavailable as error:
                failure = error
                break
            fresh.update(zip(batch, made.vectors, strict=True))
            tokens += made.tokens
            claimed.achieved.done += len(batch)
        spent = (powers.clock.monotonic() - started) * 1000
        missing = len(hashes) - len(fresh) + len(work.others)
        return Embedded(work, fresh, tokens, spent, pause, rejected, missing, failure)

    async def store(self, scope: Scope, ports: Ports, claimed: Claimed, result: Embedded) -> None:
        """Keep what was paid for; move on when it is complete, else go on later."""
        model, generation, document = claimed.collection.model, claimed.generation, claimed.document
        await ports.cache.put(scope, model.name, result.fresh)
        _metered(ports, result)
        counted = _counted(generation, result)
        if result.rejected is not None:
            await end(scope, ports, document, counted, Reason(result.rejected.code, result.rejected.detail))
            return
        failure = result.failure if result.missing else await _written(scope, ports, claimed, result)
        if failure is not None:
            await ports.documents.save_generation(scope, counted)
            await settle(scope, ports, claimed, failure, random.random())
            return
        if result.missing:
            await self._go_on(scope, ports, replace(claimed, generation=counted), result)
            return
        counts = replace(counted.counts, reused=max(0, counted.counts.chunks - counted.counts.embedded))
        moved = advance(
            replace(counted, counts=counts),
            GenerationState.PUBLISHING,
            ports.clock.now(),
            due=ports.pace.patience(GenerationState.PUBLISHING),
        )
        await save(scope, ports, document, moved)
        await send_step(scope, ports, document, moved)

    async def salvage(self, scope: Scope, ports: Ports, claimed: Claimed, result: Embedded) -> None:
        """It was paid for whoever has it now. A document that was cancelled meanwhile may be taken up again."""
        found = await ports.documents.lock_with(scope, claimed.document.id, claimed.generation.number)
        # Counted already: this worker has stored it, and its commit was not heard of.
        if found is None or found[1].counts != claimed.generation.counts:
            return
        _metered(ports, result)
        document, generation = found
        # Of one that is deleted nothing is kept, and one that another worker has is for that one to store.
        if not document.deleted and generation.failure is not None and generation.failure.code == CANCELLED:
            await ports.cache.put(scope, claimed.collection.model.name, result.fresh)
            await ports.documents.save_generation(scope, _counted(generation, result))

    async def _go_on(self, scope: Scope, ports: Ports, claimed: Claimed, result: Embedded) -> None:
        """Queue the rest for when its turn has come; progress is in the cache."""
        turn, model, chunks = result.texts.turn, claimed.collection.model.name, claimed.generation.counts.chunks
        requests = -(-result.missing // ports.embedders.of(model).batch_size)
        if result.pause is not None:
            turn = await self._turns.refused(ports, model, result.pause, requests, _whose(claimed))
        elif result.missing == len(result.texts.others):
            turn = Turn(0, OTHERS_SECONDS, "the same text is being embedded for another document")
        elif not turn.seconds:
            turn = await self._turns.ask(ports, model, requests, _whose(claimed))
        words = f"{chunks - result.missing} of {chunks} chunks are embedded; the rest follows"
        later = Delayed(turn.why if turn.seconds else words, seconds=turn.seconds)
        reached = replace(claimed.generation, progress=Progress(chunks - result.missing, chunks))
        await wait(scope, ports, claimed.document, reached, later, granted=turn.requests)


async def _written(scope: Scope, ports: Ports, claimed: Claimed, result: Embedded) -> Delayed | Unavailable | None:
    """Write the vectors; returns why a store outside the database did not take them.

    An error of the database itself has undone the transaction, and its commit will say so.
    """
    vectors = {**result.texts.known, **result.fresh}
    made = [ChunkVector(chunk.id, vectors[chunk.content_hash]) for chunk in result.texts.chunks]
    try:
        await ports.vectors.put(scope, claimed.collection, made)
    except (Delayed, Unavailable) as error:
        return error
    return None


def _metered(ports: Ports, result: Embedded) -> None:
    if result.fresh:
        ports.meter.add("model_tokens", result.tokens, kind="embedding")
        ports.meter.add("model_ms", result.milliseconds, Unit.MILLISECONDS, kind="embedding")


def _counted(generation: Generation, result: Embedded) -> Generation:
    known = generation.counts
    counts = replace(known, embedded=known.embedded + len(result.fresh), tokens=known.tokens + result.tokens)
    return replace(generation, counts=counts)


def _whose(claimed: Claimed) -> Whose:
    return Whose(tenant=claimed.document.tenant_id, document=claimed.document.id)
