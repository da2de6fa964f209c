"""A document's story in words: every state has its own, and each says what happens next."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from shared.domain.documents import Counts, DocumentStatus, GenerationState, Reason, Source, claim
from shared.domain.explanation import Explanation, explain
from shared.domain.receipts import DeletionReceipt, Subject, SubjectKind
from shared.domain.remedies import HELP
from tests.domain.test_documents import NOW, document, generation

UPLOADED = Source("key", "version")
LATER = NOW + timedelta(seconds=90)
RECEIPT = DeletionReceipt(
    UUID(int=5), UUID(int=1), UUID(int=2), Subject(SubjectKind.DOCUMENT, UUID(int=3)), "api_key:k", NOW
)


def told(state: GenerationState, **changes: object) -> Explanation:
    return explain(document(), [replace(generation(state), **changes)], None, LATER)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", GenerationState)
def test_explain_every_state_has_words_and_a_next_step(state: GenerationState) -> None:
    story = told(state)
    assert story.summary
    assert story.next
    assert story.history[0].state == state.value


@pytest.mark.parametrize("code", HELP)
@pytest.mark.parametrize("source", [UPLOADED, Source("key")])
def test_explain_every_failure_says_what_helps(code: str, source: Source) -> None:
    story = told(GenerationState.FAILED, failure=Reason(code, "these words"), source=source)
    assert story.next.startswith(HELP[code])
    assert ("retry it" in story.next) is story.retryable
    assert "retry" in story.next


def test_explain_queued_says_when_its_turn_comes() -> None:
    story = told(GenerationState.QUEUED)
    assert story.summary == "waiting for its turn behind other documents of the organisation for 90 s"
    assert story.next == "it starts when one of the organisation's documents in progress is done"


def test_explain_waiting_for_upload_says_when_it_ends() -> None:
    story = told(GenerationState.AWAITING_UPLOAD, due_at=LATER + timedelta(minutes=3))
    assert story.summary == "waiting for its file to be uploaded for 90 s"
    assert story.next == "if no file arrives it ends as failed in 18 min"


def test_explain_in_the_queue_says_when_it_is_queued_again() -> None:
    assert told(
        GenerationState.EMBEDDING
    ).next == "it is in the queue; if nobody takes it, it is queued again in 150 s".replace("150 s", "2 min")


def test_explain_leased_says_that_a_worker_is_on_it() -> None:
    held = claim(generation(), "w", LATER, timedelta(seconds=100))
    assert explain(document(), [held], None, LATER).next.startswith("a worker is on it")


def test_explain_overdue_says_within_a_minute() -> None:
    assert told(GenerationState.CHUNKING, due_at=NOW).next.endswith("within a minute")


def test_explain_after_failed_tries_counts_them_and_quotes_the_last() -> None:
    story = told(GenerationState.EMBEDDING, attempts=2, last_error=Reason("unavailable", "the model is down"))
    assert "2 of 5 tries failed, the last with: the model is down" in story.summary


def test_explain_waiting_for_a_provider_quotes_it() -> None:
    assert (
        "waiting: the provider asked for 60 s"
        in told(GenerationState.EMBEDDING, waiting="the provider asked for 60 s").summary
    )


@pytest.mark.parametrize(
    ("code", "source", "reached", "retryable", "advice"),
    [
        ("encrypted", UPLOADED, "extracting", False, "remove its password"),
        ("encrypted", UPLOADED, "chunking", False, "a retry would end the same"),
        ("no_text", UPLOADED, "chunking", False, "if it is a scan"),
        ("too_many_chunks", UPLOADED, "chunking", False, "split the file"),
        (
            "upload_missing",
            UPLOADED,
            "chunking",
            False,
            "the file that was sent is gone",
        ),
        ("upload_never_arrived", Source("key"), "awaiting_upload", False, "ask for a new upload"),
        ("cancelled", UPLOADED, "extracting", True, "because its ingestion was cancelled"),
        ("cancelled", Source("key"), "awaiting_upload", False, "ask for a new upload"),
        ("never_heard_of", UPLOADED, "extracting", True, "it is read again from the uploaded file"),
        ("parser_timeout", UPLOADED, "chunking", True, "it is read again from the uploaded file"),
        ("malformed_extraction", UPLOADED, "chunking", True, "it is read again from the uploaded file"),
        ("gave_up", UPLOADED, "extracting", True, "it is read again from the uploaded file"),
        ("gave_up", UPLOADED, "chunking", True, "it goes on with chunking"),
        ("model_unavailable", UPLOADED, "embedding", True, "it goes on with chunking"),
    ],
)
def test_explain_failed_gives_reason_and_what_helps(
    code: str, source: Source, reached: str, retryable: bool, advice: str
) -> None:
    timings = {"chunking": 5, reached: 5} if reached in {"chunking", "embedding"} else {reached: 5}
    story = told(GenerationState.FAILED, failure=Reason(code, "these words"), source=source, timings=timings)
    assert story.summary == "failed: these words"
    assert story.retryable is retryable
    assert advice in story.next


def test_explain_indexed_counts_chunks() -> None:
    served = replace(generation(GenerationState.COMMITTED), counts=Counts(chunks=12, embedded=5, reused=7))
    story = explain(document(committed_generation=1, status=DocumentStatus.INDEXED), [served], None, LATER)
    assert story.summary == "indexed: version 1 is searchable with 12 chunks"
    assert story.history[0].words == "published with 12 chunks (5 embedded, 7 reused)"


def test_explain_newer_version_on_its_way_tells_both() -> None:
    rows = [generation(GenerationState.CHUNKING, 2), generation(GenerationState.COMMITTED, 1)]
    story = explain(document(committed_generation=1), rows, None, LATER)
    assert story.summary == "version 1 is searchable; version 2: being cut into chunks for 90 s"
    assert [attempt.version for attempt in story.history] == [2, 1]


def test_explain_deleting_tells_what_is_left() -> None:
    receipt = replace(RECEIPT, remaining={"vectors": 3})
    story = explain(document(tombstoned_at=NOW, status=DocumentStatus.DELETING), [], receipt, LATER)
    assert "no longer searchable" in story.summary
    assert "{'vectors': 3}" in story.summary


def test_explain_deleted_tells_what_was_removed() -> None:
    receipt = replace(RECEIPT, completed_at=LATER, removed={"chunks": 4, "cache": 0}, remaining={"chunks": 0})
    story = explain(document(tombstoned_at=NOW, swept_at=LATER), [], receipt, LATER)
    assert story.summary == "deleted; removed: 4 chunks; nothing is left in any store"


def test_explain_without_generation_asks_for_an_upload() -> None:
    assert explain(document(), [], None, LATER).next == "upload a file"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h")]
)
def test_explain_spells_spans_in_the_unit_that_fits(seconds: int, words: str) -> None:
    story = explain(document(), [generation()], None, NOW + timedelta(seconds=seconds))
    assert story.summary == f"being cut into chunks for {words}"
