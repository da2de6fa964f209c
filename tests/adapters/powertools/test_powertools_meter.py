"""The lines CloudWatch reads."""

import json
from typing import Any

import pytest

from shared.adapters.powertools.meter import MAX_VALUES, PowertoolsMeter
from shared.ports.meter import Unit


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def directives(line: dict[str, Any]) -> list[tuple[list[str], list[str]]]:
    return [
        (each["Dimensions"][0], [metric["Name"] for metric in each["Metrics"]])
        for each in line["_aws"]["CloudWatchMetrics"]
    ]


def test_flush_writes_one_line_in_the_embedded_format(capsys: pytest.CaptureFixture[str]) -> None:
    meter = PowertoolsMeter("the-function")
    meter.add("search_ms", 12.5, Unit.MILLISECONDS)
    meter.add("documents_indexed", 2)
    meter.flush()
    (line,) = lines_of(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "Lambent",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "search_ms", "Unit": "Milliseconds"}, {"Name": "documents_indexed", "Unit": "Count"}],
    }
    assert line["_aws"]["Timestamp"] > 1_700_000_000_000
    assert (line["service"], line["search_ms"], line["documents_indexed"]) == ("the-function", [12.5], [2.0])


def test_flush_nothing_recorded_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert PowertoolsMeter().flush() == {}
    assert capsys.readouterr().out == ""


def test_flush_dimension_sets_that_agree_share_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    meter = PowertoolsMeter()
    meter.add("documents_indexed", 1)
    meter.add("stage_ms", 5, Unit.MILLISECONDS, stage="chunk")
    meter.add("stage_age_ms", 6, Unit.MILLISECONDS, stage="chunk")
    meter.flush()
    (line,) = lines_of(capsys)
    assert directives(line) == [
        (["service"], ["documents_indexed"]),
        (["service", "stage"], ["stage_ms", "stage_age_ms"]),
    ]
    assert (line["stage"], line["stage_ms"]) == ("chunk", [5.0])


def test_flush_dimension_sets_that_disagree_get_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    meter = PowertoolsMeter()
    meter.add("stage_ms", 5, Unit.MILLISECONDS, stage="chunk")
    meter.add("stage_ms", 6, Unit.MILLISECONDS, stage="embed")
    meter.add("stage_ms", 7, Unit.MILLISECONDS)
    meter.flush()
    assert [(line.get("stage"), line["stage_ms"]) for line in lines_of(capsys)] == [
        ("chunk", [5.0]),
        ("embed", [6.0]),
        (None, [7.0]),
    ]


def test_flush_a_metric_named_as_a_dimension_is_kept_apart(capsys: pytest.CaptureFixture[str]) -> None:
    meter = PowertoolsMeter()
    meter.add("stage", 1)
    meter.add("stage_ms", 2, stage="chunk")
    meter.flush()
    assert [line["stage"] for line in lines_of(capsys)] == [[1.0], "chunk"]


def test_flush_more_values_than_a_line_takes_writes_several(capsys: pytest.CaptureFixture[str]) -> None:
    meter = PowertoolsMeter()
    for value in range(2 * MAX_VALUES + 1):
        meter.add("search_ms", value)
    meter.flush()
    assert [len(line["search_ms"]) for line in lines_of(capsys)] == [MAX_VALUES, MAX_VALUES, 1]


def test_add_empty_dimension_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    meter = PowertoolsMeter()
    meter.add("a", 1, stage="")
    meter.flush()
    (line,) = lines_of(capsys)
    assert directives(line) == [(["service"], ["a"])]
