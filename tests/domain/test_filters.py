"""The filter language: what parses, what is refused and with which words, and what matches."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.documents import Document
from shared.domain.errors import InvalidFilter
from shared.domain.filters import MAX_CONDITIONS, MAX_VALUES, All, AnyOf, Condition, Not, Op, matches, parse_filter

AT = datetime(2026, 2, 1, tzinfo=UTC)
DOCUMENT = Document(
    id=UUID(int=7),
    tenant_id=UUID(int=1),
    project_id=UUID(int=2),
    collection_id=UUID(int=3),
    name="Report.pdf",
    created_at=AT,
    updated_at=AT,
    path="finance/2026/report.pdf",
    media_type="application/pdf",
    language="en",
    tags=("finance", "q1"),
    metadata={"year": 2026, "draft": False, "owner": "ana", "topics": ["tax", "audit"], "empty": []},
)


def condition(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (condition("document_id", "eq", str(UUID(int=7))), True),
        (condition("document_id", "ne", str(UUID(int=7))), False),
        (condition("document_id", "in", [str(UUID(int=7)), str(UUID(int=8))]), True),
        (condition("name", "eq", "Report.pdf"), True),
        (condition("name", "eq", "report.pdf"), False),
        (condition("path", "prefix", "finance/"), True),
        (condition("path", "contains", "2026"), True),
        (condition("path", "prefix", "2026"), False),
        (condition("media_type", "in", ["text/plain", "application/pdf"]), True),
        (condition("language", "ne", "de"), True),
        (condition("tags", "contains", "finance"), True),
        (condition("tags", "contains", "finan"), False),
        (condition("tags", "in", ["q4", "q1"]), True),
        (condition("tags", "exists", True), True),
        (condition("created_at", "ge", "2026-02-01"), True),
        (condition("created_at", "gt", "2026-02-01T00:00:00Z"), False),
        (condition("created_at", "lt", "2026-02-01T01:00:00+02:00"), False),
        (condition("created_at", "eq", "2026-02-01T01:00:00+01:00"), True),
        (condition("metadata.year", "eq", 2026), True),
        (condition("metadata.year", "gt", 2025.5), True),
        (condition("metadata.year", "lt", "2027"), False),
        (condition("metadata.draft", "eq", False), True),
        (condition("metadata.draft", "eq", 0), False),
        (condition("metadata.draft", "lt", True), False),
        (condition("metadata.owner", "prefix", "a"), True),
        (condition("metadata.owner", "ge", "ana"), True),
        (condition("metadata.topics", "contains", "tax"), True),
        (condition("metadata.topics", "eq", "audit"), True),
        (condition("metadata.topics", "prefix", "t"), False),
        (condition("metadata.missing", "exists", False), True),
        (condition("metadata.missing", "ne", "x"), False),
        (condition("metadata.missing", "eq", "x"), False),
        (condition("metadata.year", "in", [1, 2026]), True),
        ({"and": [condition("language", "eq", "en"), condition("tags", "contains", "q1")]}, True),
        ({"or": [condition("language", "eq", "de"), condition("tags", "contains", "q1")]}, True),
        ({"not": condition("language", "eq", "en")}, False),
        ({"and": [{"not": condition("tags", "contains", "q4")}, {"or": [condition("language", "eq", "en")]}]}, True),
    ],
)
def test_matches_document_as_its_words_say(data: dict[str, Any], expected: bool) -> None:
    assert matches(parse_filter(data), DOCUMENT) is expected


def test_matches_tags_exists_when_there_are_none_is_false() -> None:
    untagged = replace(DOCUMENT, tags=())
    assert not matches(parse_filter(condition("tags", "exists", True)), untagged)
    assert matches(parse_filter(condition("tags", "exists", False)), untagged)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "filter: expected an object, got NoneType"),
        ([], "filter: expected an object"),
        ({}, "expected exactly field, op and value"),
        ({"field": "name", "op": "eq"}, "expected exactly field, op and value"),
        (condition("name", "eq", "x") | {"more": 1}, "expected exactly field, op and value"),
        ({"and": []}, "filter.and: expected a list with at least one filter"),
        ({"or": "abc"}, "filter.or: expected a list"),
        ({"and": [1]}, "filter.and[0]: expected an object"),
        ({"not": []}, "filter.not: expected an object"),
        (condition("secret", "eq", "x"), "unknown field 'secret'"),
        (condition("tenant_id", "eq", "x"), "unknown field"),
        (condition(1, "eq", "x"), "filter.field: expected text"),  # type: ignore[arg-type]
        (condition("metadata.", "eq", "x"), "metadata keys are 1-64"),
        (condition("metadata.a'; drop table x; --", "eq", "x"), "metadata keys are 1-64"),
        (condition("metadata.a\n", "eq", "x"), "metadata keys are 1-64"),
        (condition("metadata." + "a" * 65, "eq", "x"), "metadata keys are 1-64"),
        (condition("name", "gt", "x"), "filter.op: name takes"),
        (condition("tags", "eq", "x"), "filter.op: tags takes"),
        (condition("name", "EQ", "x"), "filter.op"),
        (condition("name", ["eq"], "x"), "filter.op"),  # type: ignore[arg-type]
        (condition("tags", "exists", "yes"), "exists takes true or false"),
        (condition("name", "in", []), "in takes a list of 1-1000 values"),
        (condition("name", "in", "abc"), "in takes a list"),
        (condition("name", "in", ["x"] * (MAX_VALUES + 1)), "in takes a list"),
        (condition("name", "eq", 3), "filter.value: expected text"),
        (condition("name", "eq", "a\0b"), "NUL"),
        (condition("name", "eq", "\ud800"), "surrogate"),
        (condition("document_id", "eq", "7"), "expected a document id"),
        (condition("created_at", "ge", "yesterday"), "expected a date such as"),
        (condition("metadata.x", "eq", {"a": 1}), "expected text, a number, true or false"),
        (condition("metadata.x", "in", [[1]]), "expected text, a number, true or false"),
    ],
)
def test_parse_filter_with_something_wrong_says_what(data: Any, words: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(data)
    assert words in caught.value.detail
    assert caught.value.code == "invalid_filter"


def test_parse_filter_at_the_depth_limit_is_read_and_below_it_refused() -> None:
    nested: dict[str, Any] = condition("name", "eq", "x")
    for _ in range(6):
        nested = {"not": nested}
    assert isinstance(parse_filter(nested), Not)
    with pytest.raises(InvalidFilter, match="nested deeper than 6"):
        parse_filter({"not": nested})


def test_parse_filter_counts_conditions_over_the_whole_tree() -> None:
    half = {"or": [condition("name", "eq", "x")] * (MAX_CONDITIONS // 2)}
    assert isinstance(parse_filter({"and": [half, half]}), All)
    with pytest.raises(InvalidFilter, match="more than 50 conditions"):
        parse_filter({"and": [half, half, condition("name", "eq", "x")]})


def test_parse_filter_reads_values_into_types() -> None:
    parsed = parse_filter({"or": [condition("created_at", "lt", "2026-01-31"), condition("name", "in", ["a", "b"])]})
    assert parsed == AnyOf(
        (
            Condition("created_at", Op.LT, datetime(2026, 1, 31, tzinfo=UTC)),
            Condition("name", Op.IN, ("a", "b")),
        )
    )


keys = st.sampled_from(["field", "op", "value", "and", "or", "not", "x"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@given(json_values)
def test_parse_filter_with_any_json_reads_or_refuses(data: Any) -> None:
    try:
        parsed = parse_filter(json.loads(json.dumps(data)))
    except InvalidFilter:
        return
    assert matches(parsed, DOCUMENT) in (True, False)


fields = st.sampled_from(["name", "path", "tags", "created_at", "metadata.year", "metadata.topics", "metadata.draft"])
conditions = st.builds(
    condition,
    fields,
    st.sampled_from([op.value for op in Op]),
    st.sampled_from(["x", "Report.pdf", "tax", 2026, True, False, "2026-02-01", ["x"], ["tax", "q1"]]),
)


@given(conditions)
def test_matches_not_is_the_opposite(data: dict[str, Any]) -> None:
    try:
        parsed = parse_filter(data)
    except InvalidFilter:
        return
    assert matches(Not(parsed), DOCUMENT) is not matches(parsed, DOCUMENT)
