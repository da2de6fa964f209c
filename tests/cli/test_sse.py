"""Server-sent events, read."""

from shared.cli.sse import Event, events


def test_events_reads_names_and_data() -> None:
    lines = ["event: delta", 'data: {"text": "a"}', "", ": a comment", "data: one", "data:two", "id: 7", ""]
    assert [*events(lines)] == [Event("delta", '{"text": "a"}'), Event("message", "one\ntwo", "7")]


def test_events_without_data_is_none() -> None:
    assert [*events(["event: ping", ""])] == []


def test_events_cut_off_is_dropped() -> None:
    assert [*events(["event: delta", "data: 1"])] == []
