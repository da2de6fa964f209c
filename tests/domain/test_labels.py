"""Names, tags and metadata: what is accepted and what is told otherwise."""

import pytest

from shared.domain.errors import Invalid
from shared.domain.labels import clean_metadata, clean_name, clean_path, clean_tags
from shared.domain.storable import storable


def test_clean_name_trims() -> None:
    assert clean_name("  Jahresbericht 2026 (final).pdf ") == "Jahresbericht 2026 (final).pdf"


@pytest.mark.parametrize("name", ["", "   ", "a" * 256, "a\x00b", "a\nb", "a\x7f", "a\u2028b", "a\ud800"])
def test_clean_name_with_unacceptable_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        clean_name(name)
    assert caught.value.code == "invalid_name"


def test_clean_name_names_what_it_is_for() -> None:
    with pytest.raises(Invalid, match="the tenant is empty"):
        clean_name(" ", "tenant")


def test_clean_path_keeps_a_label_as_it_is() -> None:
    assert clean_path("../a b/ü.txt") == "../a b/ü.txt"
    assert clean_path("") == ""


@pytest.mark.parametrize("path", ["a" * 1025, "a\0", "a\n", "\udfff"])
def test_clean_path_with_unacceptable_path_is_refused(path: str) -> None:
    with pytest.raises(Invalid) as caught:
        clean_path(path)
    assert caught.value.code == "invalid_path"


def test_clean_tags_trims_and_drops_repeats_in_order() -> None:
    assert clean_tags([" b", "a", "b "]) == ("b", "a")


@pytest.mark.parametrize("tags", [[f"t{n}" for n in range(51)], [""], ["  "], ["a" * 101], ["a\tb"]])
def test_clean_tags_with_unacceptable_tags_is_refused(tags: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        clean_tags(tags)
    assert caught.value.code == "invalid_tags"


def test_clean_metadata_keeps_scalars_and_lists_of_text() -> None:
    data = {"a": "x", "b-1": 2, "c_": 2.5, "d": True, "e": ["x", "y"], "f": "the text \\u0000 is no NUL"}
    assert clean_metadata(data) == data


@pytest.mark.parametrize(
    "metadata",
    [
        {"a b": 1},
        {"": 1},
        {"a\n": 1},
        {"ü": 1},
        {"a" * 65: 1},
        {"a": None},
        {"a": {"b": 1}},
        {"a": [1]},
        {"a": [["x"]]},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": "x\0y"},
        {"a": ["x\0y"]},
        {"a": "\ud800"},
        {"a": "x" * 8200},
    ],
)
def test_clean_metadata_with_unacceptable_value_is_refused(metadata: dict[str, object]) -> None:
    with pytest.raises(Invalid) as caught:
        clean_metadata(metadata)
    assert caught.value.code == "invalid_metadata"


@pytest.mark.parametrize("value", ["", "ü€😀", 1, None, [["x"]], {"a": [{"b": "\n"}]}, {"a": "\\u0000"}])
def test_storable_with_ordinary_values_is_true(value: object) -> None:
    assert storable(value)


@pytest.mark.parametrize("value", ["\0", "a\ud83d", ["x", ["\0"]], {"\0": 1}, {"a": {"b": ["\udc00"]}}])
def test_storable_with_text_no_store_takes_is_false(value: object) -> None:
    assert not storable(value)


def test_storable_with_deep_nesting_does_not_recurse() -> None:
    deep: list[object] = ["\0"]
    for _ in range(100_000):
        deep = [deep]
    assert not storable(deep)
