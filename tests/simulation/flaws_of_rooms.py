"""Flaws in what concerns many documents: rooms, runs, indexes, retries, the comparison of rows and stores."""

from tests.simulation.mutation import Edit, Mutant, one

USES = "shared.usecases"
INGEST = f"{USES}.ingest"
MEMORY = "shared.adapters.memory"

ROOMS = (
    one(
        "documents of a deleted room stay",
        f"{USES}.deletion.erase:erase",
        "if left.living and left.tombstoned < BACKLOG:",
        "if False:",
        cast=("deleter",),
        histories=2000,
    ),
    one(
        "statistics of a deleted room stay",
        f"{USES}.deletion.erase:_rest",
        "gone = sum([await ports.keywords.forget(room, one.id, TERMS) for one in indexes])",
        "gone = 0",
        cast=("deleter",),
        histories=2000,
    ),
    one(
        "what a deleted room was called is kept",
        f"{USES}.deletion.erase:_rest",
        'replace(project, name="", deleted_at=deleted_at)',
        "replace(project, deleted_at=deleted_at)",
        cast=("deleter",),
        histories=2000,
    ),
    one(
        "events of runs in a deleted room stay",
        f"{USES}.deletion.erase:_rest",
        "await ports.ingestions.purge(scope, subject, EVENTS)",
        "0",
        cast=(
            "deleter",
            "sender",
        ),
        histories=2000,
    ),
    one(
        "a deleted project is no reason to hide its collections",
        f"{MEMORY}.tombstones:room_gone",
        "gone = None if project is None else project.deleted_at",
        "gone = None",
        cast=("deleter",),
        histories=2000,
    ),
    one(
        "a deleted tenant is no reason to hide its collections",
        f"{MEMORY}.tombstones:tenant_gone",
        "return None if tenant is None else tenant.deleted_at",
        "return None",
        cast=("deleter",),
        histories=2000,
    ),
)

RUNS = (
    one(
        "a run is not told of what ends",
        f"{INGEST}.stage:save",
        "await ended(scope, ports, document, generation)",
        "pass",
        cast=("sender",),
        histories=2000,
    ),
    one(
        "a run completes while documents are on their way",
        f"{MEMORY}.ingestions:MemoryIngestions.happened",
        "run.closed_at is not None and not unfinished and",
        "run.closed_at is not None and",
        cast=("sender",),
        histories=2000,
    ),
    one(
        "a retry that found nothing to do leaves its run open",
        f"{USES}.ingestions.steer:go_on",
        "await tell(scope, ports, message.ingestion_id, [])",
        "pass",
        cast=("sender",),
        histories=2000,
    ),
    one(
        "a run counts each version as a document",
        f"{MEMORY}.ingestions:MemoryIngestions.tallies",
        "latest[row.document_id] == row",
        "True",
        cast=("sender",),
        histories=2000,
    ),
    one(
        "cancelling ends what has ended",
        f"{USES}.ingestions.steer:_cancel",
        "found is None or found[1].terminal",
        "found is None",
        cast=("sender",),
        histories=2000,
    ),
    one(
        "only the first endpoint is told",
        f"{USES}.webhooks.announce:announce",
        "for webhook in listening:",
        "for webhook in listening[:1]:",
        cast=("sender",),
        histories=2000,
    ),
    one(
        "a delivery that failed is taken for delivered",
        f"{USES}.webhooks.deliver:record",
        "if not attempt.error:",
        "if True:",
        "webhook_lost",
        "webhook_refused",
        cast=("sender",),
        histories=2000,
    ),
    one(
        "a delivery that failed is not tried again",
        f"{MEMORY}.webhooks:MemoryWebhooks.due",
        "rows[:limit]",
        "rows[:0]",
        "webhook_lost",
        "crash",
        cast=("sender",),
        histories=2000,
    ),
    one(
        "deliveries are signed with another endpoint's secret",
        f"{USES}.webhooks.deliver:call",
        "secret_of(powers.webhook_key, taken.webhook.id, version)",
        "secret_of(powers.webhook_key, taken.delivery.id, version)",
        cast=("sender",),
        histories=2000,
    ),
)

AGAIN = (
    one(
        "a retry is begun whatever the latest version is doing",
        f"{USES}.documents.retry:retry",
        "if found.state is not GenerationState.FAILED:",
        "if False:",
        "crash",
        "commit_unknown_applied",
        histories=2000,
    ),
    one(
        "processing again does not wait for what is on its way",
        f"{USES}.documents.process:process",
        "one.terminal or elsewhere or superseded",
        "True",
    ),
    Mutant(
        "nobody's turn comes",
        (
            Edit(
                "shared.usecases.admissions.line:admit",
                "for document, generation in admitted:",
                "for document, generation in ():",
            ),
        ),
    ),
)

INDEXES = (
    one(
        "a cut does not wait until all is in the other index",
        f"{USES}.reindexes.cut:_cut",
        "if not (progress.whole or (despite_failures and progress.settled)):",
        "if False:",
        cast=("reindexer",),
        histories=2000,
    ),
    one(
        "an index that is kept is not kept in step",
        f"{USES}.reindexes.build:_fill",
        "for one in chosen if await",
        "for one in chosen if index.state.value == 'building' and await",
        cast=("reindexer",),
        histories=2000,
    ),
    one(
        "publishing does not wait for a cut",
        f"{INGEST}.publish:publish",
        "collection.live and collection.held:",
        "collection.live and False:",
        cast=("reindexer",),
        histories=2000,
    ),
    one(
        "publishing waits until there is a cut",
        f"{MEMORY}.collections:MemoryCollections._left",
        "until - self._transaction.now()",
        "timedelta.max",
        cast=("reindexer",),
        histories=2000,
    ),
    one(
        "an index that was given up leaves its words counted",
        f"{USES}.reindexes.drop:drop",
        "await ports.keywords.discard(scope, index.id, document_id)",
        "pass",
        cast=("reindexer",),
        histories=2000,
    ),
    one(
        "an index counts out what another has counted",
        f"{MEMORY}.keywords:MemoryKeywords.publish",
        "mine = remove is not None and self._index_of(scope, (document_id, remove)) == index_id",
        "mine = True",
        cast=("reindexer",),
        histories=2000,
    ),
    one(
        "words of what is no longer searched stay counted",
        f"{MEMORY}.keywords:MemoryKeywords.publish",
        "containing.subtract(words.counts.keys())",
        "pass",
    ),
)

COMPARED = (
    one(
        "what comes in late for a deleted document is not looked for",
        "shared.usecases.reconcile.stores:_too_much",
        "if done}",
        "if False}",
        "s3_event_lost",
    ),
)
