"""Generations move by pure functions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.documents import (
    TERMINAL,
    Document,
    DocumentStatus,
    Generation,
    GenerationState,
    Reason,
    Recipe,
    Source,
    advance,
    claim,
    delay,
    extracted_key,
    fail,
    newer_sequencer,
    parse_extracted_key,
    parse_upload_key,
    release,
    status_of,
    upload_key,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TENANT, PROJECT, DOCUMENT = UUID(int=1), UUID(int=2), UUID(int=3)
LATER = NOW + timedelta(seconds=7)


def generation(state: GenerationState = GenerationState.CHUNKING, number: int = 1) -> Generation:
    return Generation(
        tenant_id=TENANT,
        project_id=PROJECT,
        document_id=DOCUMENT,
        number=number,
        state=state,
        source=Source("key"),
        recipe=Recipe("reader/1", "structure/200/0", "model"),
        created_at=NOW,
        entered_at=NOW,
        due_at=NOW + timedelta(minutes=4),
    )


def document(**changes: object) -> Document:
    made = Document(
        id=DOCUMENT,
        tenant_id=TENANT,
        project_id=PROJECT,
        collection_id=UUID(int=4),
        name="a.txt",
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_advance_to_next_state_closes_the_account_of_the_last() -> None:
    held = replace(claim(generation(), "w1", NOW, timedelta(seconds=150)), attempts=2, waiting="x")
    moved = advance(held, GenerationState.EMBEDDING, LATER, due=timedelta(minutes=8))
    assert moved.state is GenerationState.EMBEDDING
    assert moved.timings == {"chunking": 7000}
    assert (moved.entered_at, moved.due_at) == (LATER, LATER + timedelta(minutes=8))
    assert (moved.lease_owner, moved.lease_until, moved.attempts, moved.waiting) == (None, None, 0, "")
    assert moved.finished_at is None


def test_advance_back_into_a_state_adds_to_its_time() -> None:
    first = advance(generation(), GenerationState.EMBEDDING, LATER, due=timedelta(minutes=1))
    again = advance(
        replace(first, state=GenerationState.CHUNKING),
        GenerationState.EMBEDDING,
        LATER + timedelta(seconds=1),
        due=None,
    )
    assert again.timings["chunking"] == 8000


def test_advance_with_clock_behind_counts_nothing() -> None:
    assert advance(generation(), GenerationState.EMBEDDING, NOW - timedelta(1), due=None).timings == {"chunking": 0}


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_advance_to_terminal_state_ends_it(state: GenerationState) -> None:
    ended = advance(generation(), state, LATER, due=None)
    assert ended.terminal
    assert (ended.finished_at, ended.due_at) == (LATER, None)


def test_claim_holds_until_its_deadline() -> None:
    held = claim(generation(), "w1", NOW, timedelta(seconds=10))
    assert held.leased(NOW + timedelta(seconds=9))
    assert not held.leased(NOW + timedelta(seconds=10))
    assert held.due_at == held.lease_until


def test_leased_when_never_claimed_is_false() -> None:
    assert not generation().leased(NOW)


def test_release_counts_the_try_and_remembers_why() -> None:
    error = Reason("unavailable", "the store is down")
    freed = release(claim(generation(), "w1", NOW, timedelta(10)), NOW, error, retry_in=timedelta(seconds=30))
    assert (freed.attempts, freed.last_error, freed.lease_owner) == (1, error, None)
    assert freed.due_at == NOW + timedelta(seconds=30)
    assert freed.failure is None


def test_delay_waits_without_counting_a_try() -> None:
    later = delay(generation(), NOW, timedelta(seconds=60), "busy", grace=timedelta(seconds=5))
    assert (later.attempts, later.waiting) == (0, "busy")
    assert later.due_at == NOW + timedelta(seconds=65)


def test_fail_ends_with_the_reason() -> None:
    reason = Reason("no_text", "the file has no text in it")
    ended = fail(generation(), reason, LATER)
    assert (ended.state, ended.failure, ended.last_error) == (GenerationState.FAILED, reason, reason)


@pytest.mark.parametrize(
    ("changes", "state", "expected"),
    [
        ({"tombstoned_at": NOW}, GenerationState.CHUNKING, DocumentStatus.DELETING),
        ({"tombstoned_at": NOW, "swept_at": NOW}, GenerationState.CHUNKING, DocumentStatus.DELETED),
        ({"committed_generation": 1}, GenerationState.FAILED, DocumentStatus.INDEXED),
        ({}, GenerationState.AWAITING_UPLOAD, DocumentStatus.AWAITING_UPLOAD),
        ({}, GenerationState.FAILED, DocumentStatus.FAILED),
        ({}, GenerationState.EXTRACTING, DocumentStatus.PROCESSING),
        ({}, GenerationState.SUPERSEDED, DocumentStatus.PROCESSING),
    ],
)
def test_status_of_document_follows_its_rows(
    changes: dict[str, object], state: GenerationState, expected: DocumentStatus
) -> None:
    assert status_of(document(**changes), generation(state)) is expected


def test_status_of_document_without_generation_awaits_upload() -> None:
    assert status_of(document(), None) is DocumentStatus.AWAITING_UPLOAD


@pytest.mark.parametrize(
    ("candidate", "known", "newer"),
    [
        ("0055AED6DCD90281E6", "0055AED6DCD90281E5", True),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E5", False),
        ("0055aed6dcd90281e6", "0055AED6DCD90281E5", True),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E500", False),
        ("0055AED6DCD90281E51", "0055AED6DCD90281E5", True),
        ("0055AED6DCD90281E5", "", True),
        ("", "", False),
        ("", "00", False),
    ],
)
def test_newer_sequencer_compares_padded_hexadecimal(candidate: str, known: str, newer: bool) -> None:
    assert newer_sequencer(candidate, known) is newer


@given(st.text("0123456789ABCDEF", max_size=20), st.text("0123456789ABCDEF", max_size=20))
def test_newer_sequencer_never_says_both(one: str, other: str) -> None:
    assert not (newer_sequencer(one, other) and newer_sequencer(other, one))


@given(st.uuids(), st.uuids(), st.integers(1, 10**9))
def test_parse_upload_key_reads_what_upload_key_wrote(tenant: UUID, doc: UUID, number: int) -> None:
    assert parse_upload_key(upload_key(tenant, doc, number)) == (tenant, doc, number)
    assert parse_extracted_key(extracted_key(tenant, doc, number)) == (tenant, doc, number)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a/b/1",
        f"{TENANT}/{DOCUMENT}",
        f"{TENANT}/{DOCUMENT}/1/2",
        f"{TENANT}/{DOCUMENT}/x",
        f"{TENANT}/{DOCUMENT}/-1x",
        f"{TENANT}/{DOCUMENT}/01",
        f"{TENANT}/{DOCUMENT}/1_0",
        f"{TENANT}/{DOCUMENT}/١",
        f"{{{TENANT}}}/{DOCUMENT}/1",
        f"{TENANT.hex}/{DOCUMENT}/1",
        f"../{TENANT}/{DOCUMENT}/1",
        "1/" * 3 + "9" * 5000,
    ],
)
def test_parse_upload_key_with_anything_else_is_none(key: str) -> None:
    assert parse_upload_key(key) is None


@pytest.mark.parametrize("key", [f"{TENANT}/{DOCUMENT}/1.json", f"extracted/{TENANT}/{DOCUMENT}/1", "extracted/.json"])
def test_parse_extracted_key_with_anything_else_is_none(key: str) -> None:
    assert parse_extracted_key(key) is None
