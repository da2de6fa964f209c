"""The numbers ingestion runs by, and the rules that follow from them."""

from dataclasses import dataclass
from datetime import timedelta

from shared.domain.documents import GenerationState
from shared.domain.events import Queue

READER_VERSION = "files/1"
"""Changes when the text of the same file changes; part of every recipe."""

PIPELINE_VERSION = "ingest/1"
"""Changes when equal text and equal settings give other chunks, other words or other texts to embed."""

MAX_ATTEMPTS = 5
"""Tries of one step before the generation ends as failed."""

LONGEST_OUTAGE = timedelta(days=1)
"""A step that has lasted for longer counts every try, whatever it came to nothing for: nothing waits for ever."""

UPLOAD_SECONDS = 900
"""How long an upload form is valid."""

UPLOAD_LOOK = timedelta(minutes=5)
"""How often the sweep looks whether the file of an open form is there: the event that tells of it may be lost."""

UPLOAD_LIFE = timedelta(seconds=UPLOAD_SECONDS) + timedelta(minutes=5)
"""After this long an unused slot is closed: longer than its form is valid, as an event may come a minute late or more.
"""

STAGE_STATES = {
    Queue.INGEST_EXTRACT: GenerationState.EXTRACTING,
    Queue.INGEST_CHUNK: GenerationState.CHUNKING,
    Queue.INGEST_EMBED: GenerationState.EMBEDDING,
    Queue.INGEST_PUBLISH: GenerationState.PUBLISHING,
}
"""Which state a generation is in while its message is on a queue."""

STATE_QUEUES = {state: queue for queue, state in STAGE_STATES.items()}

PATIENCE = {
    # Looked after as a line, not one by one: the sweep lets in whoever's turn has come.
    GenerationState.QUEUED: timedelta(days=1),
    GenerationState.EXTRACTING: timedelta(minutes=8),
    GenerationState.CHUNKING: timedelta(minutes=4),
    GenerationState.EMBEDDING: timedelta(minutes=8),
    GenerationState.PUBLISHING: timedelta(minutes=3),
}
"""How long a step may go without a sign of life before the sweep queues it again: the function's timeout plus time to
be picked up.
"""

LEASE = {
    GenerationState.CHUNKING: timedelta(seconds=150),
    GenerationState.EMBEDDING: timedelta(seconds=330),
    GenerationState.PUBLISHING: timedelta(seconds=90),
}
"""How long a claim holds: a little over the function's own timeout, after which its process is gone for certain."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much ingestion takes on, and how soon it loses patience: the times above, all changed by one factor.

    Correctness never depends on them: a worker that is given up too early is fenced off by its lease.
    """

    factor: float = 1.0
    in_progress: int = 100
    """Generations of one tenant that are in progress at once; the others wait for their turn. So nobody's flood stands
    before another's document in a queue, whatever the queue thinks of fairness.
    """

    def patience(self, state: GenerationState) -> timedelta:
        """How long a step may go without a sign of life."""
        return PATIENCE[state] * self.factor

    def lease(self, state: GenerationState) -> timedelta:
        """How long a claim holds."""
        return LEASE[state] * self.factor


def retry_wait(attempts: int, jitter: float) -> timedelta:
    """Full-jitter exponential back-off (AWS Architecture Blog, 'Exponential Backoff And Jitter').

    0 to 5·2^attempts seconds, 300 at most.

    Args:
        attempts: tries so far, this one included.
        jitter: uniformly random, 0 to 1.
    """
    return timedelta(seconds=max(1.0, jitter * min(300.0, 5.0 * 2.0**attempts)))
