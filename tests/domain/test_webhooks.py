"""Webhooks: secrets that are derived, signatures a receiver can check, waits, and when to stop."""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.domain.webhooks import (
    DISABLE_AFTER,
    GIVE_UP_AFTER,
    KEPT_ATTEMPTS,
    ROTATION,
    TOLERANCE,
    Attempt,
    Delivery,
    DeliveryState,
    Webhook,
    after_failure,
    asked_again,
    began_attempt,
    failed,
    retry_wait,
    secret_of,
    signature,
    succeeded,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)
HOOK = Webhook(ONE, ONE, ONE, "https://a.example/", "", True, "key", NOW)
SENT = Delivery(ONE, ONE, ONE, ONE, ONE, "ingestion.completed", "{}", NOW, due_at=NOW)


def accepted(secret: str, header: str, body: str, now: datetime) -> bool:
    """A receiver, written from the description alone."""
    parts = [part.split("=", 1) for part in header.split(",")]
    second = next(value for name, value in parts if name == "t")
    if abs(now.timestamp() - int(second)) > TOLERANCE.total_seconds():
        return False
    wanted = hmac.new(secret.encode(), f"{second}.{body}".encode(), hashlib.sha256).hexdigest()
    return any(name == "v1" and hmac.compare_digest(value, wanted) for name, value in parts)


def test_secret_is_long_and_differs_by_key_endpoint_and_version() -> None:
    made = {secret_of(key, id, version) for key in ("a", "b") for id in (ONE, TWO) for version in (1, 2)}
    assert len(made) == 8
    assert all(one.startswith("whsec_") and len(one) == 49 for one in made)
    assert secret_of("a", ONE, 1) == secret_of("a", ONE, 1)


def test_signature_is_accepted_by_a_receiver_with_the_secret_only() -> None:
    secret = secret_of("key", ONE, 1)
    header = signature([secret], '{"n":"é"}', NOW)
    assert accepted(secret, header, '{"n":"é"}', NOW)
    assert not accepted(secret_of("key", ONE, 2), header, '{"n":"é"}', NOW)
    assert not accepted(secret, header, '{"n":"e"}', NOW)
    assert not accepted(secret, header.replace("t=", "t=1"), '{"n":"é"}', NOW)


@pytest.mark.parametrize(("seconds", "taken"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_signature_is_good_for_five_minutes(seconds: int, *, taken: bool) -> None:
    header = signature(["s"], "{}", NOW)
    assert accepted("s", header, "{}", NOW + timedelta(seconds=seconds)) is taken


def test_rotation_signs_with_both_for_a_day() -> None:
    rotated = replace(HOOK, secret_version=2, rotated_at=NOW)
    assert HOOK.versions(NOW) == [1]
    assert rotated.versions(NOW + ROTATION - timedelta(seconds=1)) == [2, 1]
    assert rotated.versions(NOW + ROTATION) == [2]
    header = signature([secret_of("key", ONE, one) for one in rotated.versions(NOW)], "{}", NOW)
    assert all(accepted(secret_of("key", ONE, version), header, "{}", NOW) for version in (1, 2))


def test_retry_wait_grows_to_hours_and_is_spread_over_all_of_it() -> None:
    assert retry_wait(1, 1.0) == timedelta(seconds=60)
    assert retry_wait(5, 0.5) == timedelta(seconds=480)
    assert retry_wait(500, 1.0) == timedelta(hours=4)
    assert retry_wait(9, 0.0) == timedelta(seconds=10)


def attempt(at: datetime, status: int | None = 500) -> Attempt:
    return Attempt(at, status, "" if status == 200 else "no", 5)


def test_delivery_is_tried_until_it_is_too_old() -> None:
    held = began_attempt(SENT, TWO, NOW)
    assert (held.lease, held.tries) == (TWO, 1)
    waits = failed(held, attempt(NOW), 1.0, last=False)
    assert (waits.state, waits.due_at, waits.lease) == (DeliveryState.PENDING, NOW + timedelta(seconds=60), None)
    late = failed(began_attempt(waits, TWO, NOW), attempt(NOW + GIVE_UP_AFTER), 1.0, last=False)
    assert (late.state, late.due_at, len(late.attempts)) == (DeliveryState.FAILED, None, 2)


def test_delivery_asked_for_again_is_as_young_as_that() -> None:
    late = failed(began_attempt(SENT, TWO, NOW), attempt(NOW + GIVE_UP_AFTER), 1.0, last=False)
    again = asked_again(late, NOW + 2 * GIVE_UP_AFTER)
    assert (again.state, again.tries, again.id, again.finished_at) == (DeliveryState.PENDING, 0, SENT.id, None)
    held = began_attempt(again, TWO, NOW + 2 * GIVE_UP_AFTER)
    assert failed(held, attempt(NOW + 2 * GIVE_UP_AFTER), 1.0, last=False).state is DeliveryState.PENDING


def test_delivery_that_is_taken_is_done() -> None:
    done = succeeded(began_attempt(SENT, TWO, NOW), attempt(NOW, 200))
    assert (done.state, done.due_at, done.finished_at, done.lease) == (DeliveryState.DELIVERED, None, NOW, None)


def test_delivery_keeps_its_latest_attempts() -> None:
    tried = SENT
    for number in range(KEPT_ATTEMPTS + 5):
        tried = failed(began_attempt(tried, TWO, NOW), attempt(NOW + timedelta(seconds=number)), 0.0, last=False)
    assert len(tried.attempts) == KEPT_ATTEMPTS
    assert tried.attempts[-1].at == NOW + timedelta(seconds=KEPT_ATTEMPTS + 4)


def test_endpoint_that_takes_nothing_for_long_is_disabled_with_the_reason() -> None:
    first = after_failure(HOOK, 500, NOW)
    assert (first.enabled, first.failing_since) == (True, NOW)
    still = after_failure(first, None, NOW + DISABLE_AFTER - timedelta(seconds=1))
    assert (still.enabled, still.failing_since) == (True, NOW)
    off = after_failure(still, 503, NOW + DISABLE_AFTER)
    assert (off.enabled, off.disabled_at) == (False, NOW + DISABLE_AFTER)
    assert "48 hours" in off.disabled_reason
    assert "503" in off.disabled_reason


def test_endpoint_that_is_gone_is_disabled_at_once() -> None:
    assert "410" in after_failure(HOOK, 410, NOW).disabled_reason
