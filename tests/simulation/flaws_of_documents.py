"""Flaws in how one document is taken in, searched and deleted."""

from tests.simulation.mutation import Edit, Mutant, one

USES = "shared.usecases"
INGEST = f"{USES}.ingest"
MEMORY = "shared.adapters.memory"

IDENTITY = (
    one(
        "chunk ids without their generation",
        f"{INGEST}.chunk:cut",
        "ChunkId(document.id, generation.number, ordinal)",
        "ChunkId(document.id, 1, ordinal)",
    ),
    one(
        "texts of all generations in one place",
        "shared.domain.documents:extracted_key",
        "upload_key(tenant_id, document_id, generation)",
        "upload_key(tenant_id, document_id, 1)",
    ),
    one(
        "the latest upload is read, whichever version was told of",
        f"{INGEST}.extract:_outcome",
        "version_id=message.version_id",
        'version_id=""',
    ),
    one(
        "sequencers compared as numbers",
        "shared.domain.documents:newer_sequencer",
        'candidate.upper().ljust(width, "0") > known.upper().ljust(width, "0")',
        "int(candidate or '0', 16) > int(known or '0', 16)",
    ),
    one(
        "any further event of a place is a newer upload",
        f"{INGEST}.receive:uploaded",
        "or not await _newest(ports, created, known)",
        "or False",
    ),
    one(
        "an upload found without its event is older than any event",
        f"{INGEST}.receive:_newest",
        "if latest.version_id and not latest.sequencer:",
        "if False:",
        "s3_event_late",
        "s3_event_lost",
        histories=3000,
    ),
)

COMMIT = (
    Mutant(
        "publishing without compare-and-set",
        (
            Edit(f"{INGEST}.publish:publish", "not overtaken(document, generation)", "True"),
            Edit(
                f"{MEMORY}.documents:MemoryDocuments.commit",
                "known is None or known.deleted or (known.committed_in(slot) or 0) > generation",
                "known is None",
            ),
        ),
    ),
    one(
        "publishing again what is published",
        f"{INGEST}.publish:publish",
        "found[1].state is not STAGE_STATES[Queue.INGEST_PUBLISH]",
        "found[1].terminal and found[1].state.value != 'committed'",
    ),
    one(
        "the older generation stays counted",
        f"{INGEST}.publish:publish",
        "remove=before",
        "remove=None",
    ),
    one(
        "what older generations left is not swept after publishing",
        f"{INGEST}.publish:publish",
        "if generation.number > 1:",
        "if False:",
    ),
    one(
        "swept after publishing only if something was served before",
        f"{INGEST}.publish:publish",
        "if generation.number > 1:",
        "if before is not None:",
    ),
    one(
        "a document that gives way leaves its row as it was",
        f"{INGEST}.publish:publish",
        "await save(scope, ports, document, advance(generation, GenerationState.SUPERSEDED, now, due=None))",
        "pass",
    ),
    one(
        "unchanged though an older generation is on its way",
        f"{INGEST}.chunk:ChunkStage.load",
        "if any(not one.terminal",
        "if any(False and not one.terminal",
        "embedder_storm",
        histories=2000,
    ),
    one(
        "unchanged whatever the content",
        f"{INGEST}.chunk:ChunkStage.perform",
        "work.content_hash == outcome.content_hash and ",
        "",
    ),
)

GATE = (
    one(
        "no read gate against deleted documents",
        f"{MEMORY}.documents:shown",
        "and not row.deleted",
        "",
        histories=2000,
    ),
    one(
        "no read gate against other generations",
        f"{MEMORY}.chunks:MemoryChunks.visible",
        "document is None or id.generation not in (document.committed_generation, document.standby_generation)",
        "document is None",
        "message_late",
        "vectors_lag",
        histories=2000,
    ),
    one(
        "deleted without a tombstone",
        f"{USES}.documents.delete:delete",
        "tombstoned_at=now, ",
        "",
    ),
    one(
        "deleted and still counted",
        f"{USES}.documents.delete:delete",
        "if index.open and committed is not None:",
        "if False:",
    ),
)

LEASE = (
    one(
        "no fencing by the lease",
        f"{INGEST}.stage:retake",
        "found is None or found[1].lease_owner != claimed.owner or found[1].state is not claimed.generation.state",
        "found is None",
        "pause",
        "zombie",
    ),
    one(
        "a leased generation is taken by another worker",
        f"{INGEST}.stage:take",
        "if generation.leased(now):",
        "if False:",
        "message_duplicated",
        "visibility_expired",
    ),
    one(
        "a claim that was forgotten holds against whoever came since",
        f"{INGEST}.stage:_locked",
        "found[1] == claimed.before",
        "found[1].state is claimed.before.state",
        "claim_forgotten",
        "visibility_expired",
        "message_duplicated",
        histories=3000,
    ),
    one(
        "a message is taken whatever the state",
        f"{INGEST}.stage:take",
        "found[1].state is not STAGE_STATES[queue]",
        "False",
    ),
    one(
        "a text moves its document on whatever the state",
        f"{INGEST}.receive:extracted",
        "if generation.state is not GenerationState.EXTRACTING:",
        "if False:",
    ),
)

RESCUE = (
    one(
        "the sweep does not see what is due",
        f"{MEMORY}.documents:MemoryDocuments.due",
        "turns[:limit]",
        "turns[:0]",
    ),
    one(
        "every rescue is the last",
        f"{INGEST}.rescue:_again",
        "attempts >= MAX_ATTEMPTS",
        "True",
    ),
    one(
        "a rescued generation stays leased",
        f"{INGEST}.stage:requeue",
        "lease_owner=None, lease_until=None, due_at=now + patience",
        "lease_until=now + patience * 9, due_at=now + patience * 9",
    ),
    one(
        "waiting for a provider counts as a failure",
        f"{INGEST}.stage:wait",
        "later = delay(generation, ",
        "later = delay(replace(generation, attempts=generation.attempts + 4), ",
        "embedder_storm",
        "embedder_unavailable",
    ),
    one(
        "an upload whose event was lost is looked for when its form has expired",
        f"{USES}.documents.upload:new_generation",
        "now + UPLOAD_LOOK",
        "now + UPLOAD_LOOK * 4",
        "s3_event_lost",
    ),
    one(
        "an upload whose event was lost is not looked for",
        f"{INGEST}.rescue:_awaiting_upload",
        "found = await ports.blobs.head(Bucket.UPLOADS, generation.source.key)",
        "raise NotFound('lost')",
        "s3_event_lost",
    ),
    one(
        "whoever read the parts that were found is taken to live",
        f"{INGEST}.receive:progressed",
        "if handed or silent:",
        "if handed:",
        "s3_event_lost",
        "crash",
        histories=8000,
    ),
    one(
        "a step may take for ever",
        "shared.domain.documents:claim",
        "due_at=until",
        "due_at=now + ttl * 100",
    ),
    one(
        "messages left behind are not sent",
        f"{MEMORY}.outbox:MemoryOutbox.left_behind",
        ")[:limit]",
        ")[:0]",
    ),
)

MONEY = (
    one(
        "what was embedded before a pause is thrown away",
        f"{INGEST}.embed:EmbedStage.store",
        "await ports.cache.put(scope, model.name, result.fresh)",
        "await ports.cache.put(scope, model.name, {} if result.missing else result.fresh)",
    ),
    one(
        "what was embedded is not kept",
        f"{INGEST}.embed:EmbedStage.store",
        "await ports.cache.put(scope, model.name, result.fresh)",
        "pass",
    ),
    one(
        "an error of the provider throws away what was embedded before it",
        f"{INGEST}.embed:EmbedStage.perform",
        "failure = error\n",
        "raise\n",
        "embedder_unavailable",
    ),
    one(
        "known texts are embedded again",
        f"{INGEST}.embed:EmbedStage.perform",
        "chunk.content_hash not in work.known and ",
        "",
    ),
    one(
        "two documents pay for the same text at once",
        f"{MEMORY}.cache:MemoryEmbeddingCache.under_way",
        "return found & set(hashes)",
        "return set()",
    ),
    one(
        "embedded texts are counted per try",
        f"{INGEST}.embed:_counted",
        "embedded=known.embedded + len(result.fresh)",
        "embedded=known.embedded + len(result.texts.chunks)",
    ),
    one(
        "a commit that failed is not tried again",
        "shared.runtime.stage:_insisting",
        "except Unavailable as error",
        "except ZeroDivisionError as error",
        "commit_lost",
        "commit_unknown_lost",
    ),
)

SWEEP = (
    one(
        "uploads of deleted documents stay",
        f"{INGEST}.sweep:_places",
        '("uploads", Bucket.UPLOADS, own), ',
        "",
    ),
    one(
        "texts of deleted documents stay",
        f"{INGEST}.sweep:_places",
        '*(("work", Bucket.WORK, prefix + own) for prefix in WORK_PREFIXES)',
        "",
    ),
    one(
        "the cache keeps what no document has",
        f"{INGEST}.sweep:_everything",
        "await ports.cache.delete_unused(scope, hashes)",
        "0",
    ),
    one(
        "vectors are deleted as the store lists them",
        f"{INGEST}.sweep:listed_late",
        "if ports.vectors.lag:",
        "if False:",
        "vectors_lag",
    ),
    one(
        "what comes in after a delete stays",
        f"{INGEST}.receive:receive",
        "await send_sweep(scope, ports, document.id)",
        "pass",
    ),
    one(
        "a living document loses what is served",
        f"{INGEST}.sweep:_outdated",
        "keep = document.committed_in(index.slot)",
        "keep = (document.committed_in(index.slot) or 0) + 1",
    ),
    one(
        "a swept document is forgotten to be one",
        f"{INGEST}.sweep:_forget",
        "swept_at=now",
        "swept_at=None",
    ),
    one(
        "the tombstone goes with the rest",
        f"{INGEST}.sweep:_forget",
        "swept_at=now",
        "swept_at=now, tombstoned_at=None",
    ),
)
