"""Values as a person reads them."""

from datetime import UTC, datetime

import pytest

from shared.cli import plain
from shared.cli.output import fitted

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred", "�[31mred"),
        ("\x9b31m", "�31m"),
        ("invoice\u202efdp.exe", "invoice�fdp.exe"),
        ("bell\x07\r", "bell��"),
        ("日本 é 👩‍🔬", "日本 é 👩‍🔬"),
        ("\udc80", "�"),
    ],
)
def test_safe_takes_away_what_a_terminal_obeys(given: str, expected: str) -> None:
    assert plain.safe(given) == expected


def test_one_line_joins_lines() -> None:
    assert plain.one_line(" a\n\n b\tc ") == "a b c"


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (5_000_000_000_000_000, "5000.0 TB")],
)
def test_size_uses_the_largest_whole_unit(count: int, expected: str) -> None:
    assert plain.size(count) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0853, "85 ms"), (3.21, "3.2 s"), (245, "4 min 05 s"), (7800, "2 h 10 min")]
)
def test_seconds_fits_the_length(value: float, expected: str) -> None:
    assert plain.seconds(value) == expected


@pytest.mark.parametrize(("count", "expected"), [(1, "1 file"), (0, "0 files"), (12_345, "12\u202f345 files")])
def test_plural_counts(count: int, expected: str) -> None:
    assert plain.plural(count, "file") == expected


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (None, ""),
        ("2026-03-02T11:59:30Z", "now"),
        ("2026-03-02T11:15:00+00:00", "45 min"),
        ("2026-03-01T12:00:00", "1 d"),
        ("2026-03-02T09:00:00Z", "3 h"),
        ("2025-01-02T09:00:00Z", "2025-01-02"),
    ],
)
def test_age_gets_coarser_with_time(stamp: str | None, expected: str) -> None:
    assert plain.age(stamp, NOW) == expected


def test_moment_is_in_utc() -> None:
    assert plain.moment("2026-03-02T10:00:00+01:00") == "2026-03-02 09:00:00 UTC"
    assert plain.moment(None) == ""


def test_fitted_narrows_only_what_is_flexible() -> None:
    assert fitted([50, 36, 30], [True, False, True], 100) == [34, 36, 30]
    assert fitted([10, 36], [True, False], 100) == [10, 36]
    assert fitted([20, 36], [True, False], 30) == [12, 36]
