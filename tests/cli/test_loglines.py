"""Log lines as a person reads them."""

import json

import pytest

from shared.cli.loglines import readable

STAMP = "2026-11-21T13:15:22.083Z "


def test_readable_event_shows_time_event_and_values() -> None:
    said = {
        "characters": 1124,
        "ms": 117.0,
        "event": "document.extracted",
        "function": "F",
        "request_id": "r",
        "level": "info",
        "kind": "a b",
    }
    assert readable(STAMP + json.dumps(said)) == (
        '13:15:22.083  document.extracted  characters=1124 ms=117.0 kind="a b" request_id=r',
        "",
    )


def test_readable_error_stands_out_with_its_trace() -> None:
    said = {"event": "request.crashed", "level": "error", "exception": "Traceback …\nValueError: no\x1b[2J"}
    assert readable(STAMP + json.dumps(said)) == (
        "13:15:22.083  ERROR  request.crashed\nTraceback …\nValueError: no�[2J",
        "red",
    )


@pytest.mark.parametrize(
    "rest",
    ['{"_aws": {}}', "END RequestId: 1", "START RequestId: 1 Version: $LATEST", "REPORT RequestId: 1 Duration: 3 ms"],
)
def test_readable_metrics_and_marks_of_the_platform_are_left_out(rest: str) -> None:
    assert readable(STAMP + rest) is None


@pytest.mark.parametrize("text", [STAMP + "plain words", "no stamp", STAMP + "{not json", STAMP + "[1]"])
def test_readable_anything_else_stays_as_it_is(text: str) -> None:
    assert readable(text) == (text, "")
