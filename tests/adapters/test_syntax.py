"""Definitions in source code."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.treesitter.grammars import GRAMMARS
from shared.adapters.treesitter.syntax import TreeSitterSyntax

_SYNTAX = TreeSitterSyntax()
_SAMPLES = {
    "python": (
        (
            "import os\n\n# Grinds.\n@mill\ndef grind(x):\n    def inner(): pass\n    return inner\n\n"
            "class Mill:\n    wheels = 1\n\n    # Turns.\n    def turn(self):\n        pass\n"
        ),
        ["grind", "Mill", "Mill.turn"],
    ),
    "javascript": (
        (
            "// Grinds.\nexport default function grind() { }\nconst turn = (x) => x;\nconst LIMIT = 5;\n"
            "class Mill { turn() { } static make() { } }\n"
        ),
        ["grind", "turn", "Mill", "Mill.turn", "Mill.make"],
    ),
    "typescript": (
        (
            "interface Wheel { turns: number }\nexport abstract class Mill<T> { turn(): void {} }\n"
            "namespace Town { export function build() {} }\nenum Kind { Water }\ntype Alias = string;\n"
        ),
        ["Wheel", "Mill", "Mill.turn", "Town", "Town.build", "Kind", "Alias"],
    ),
    "tsx": ("export const Mill = () => { return <div/> }\n", ["Mill"]),
    "java": (
        "/** Doc. */\npublic class Mill {\n  Mill() {}\n  void turn() { }\n  enum Kind { WATER }\n}\n",
        ["Mill", "Mill.Mill", "Mill.turn", "Mill.Kind"],
    ),
    "go": (
        "package main\n\n// Mill grinds.\ntype Mill struct{ a int }\n\nfunc (m *Mill) Turn() {}\n\nfunc Build() {}\n",
        ["Mill", "Turn", "Build"],
    ),
    "rust": (
        "#[derive(Debug)]\nstruct Mill { a: i32 }\nimpl Mill { fn turn(&self) {} }\nmod town { pub fn build() {} }\n",
        ["Mill", "Mill", "Mill.turn", "town", "town.build"],
    ),
    "c": (
        (
            "struct mill { int a; };\nstruct mill other;\nstatic int *turn(struct mill *m) { return 0; }\n"
            "#ifdef X\nvoid build(void) {}\n#endif\ntypedef struct { int b; } kind_t;\n"
        ),
        ["mill", "turn", "build", "kind_t"],
    ),
    "cpp": (
        "namespace town { class Mill { public: void turn() {} }; template<class T> T build(T x) { return x; } }\n",
        ["town", "town.Mill", "town.Mill.turn", "town.build"],
    ),
    "csharp": (
        "namespace Town { public class Mill { public int Wheels {get;set;} void Turn() {} } }\n",
        ["Town", "Town.Mill", "Town.Mill.Wheels", "Town.Mill.Turn"],
    ),
    "ruby": (
        "module Town\n  class Mill\n    def turn; end\n    def self.make; end\n  end\nend\n",
        ["Town", "Town.Mill", "Town.Mill.turn", "Town.Mill.make"],
    ),
}


def test_samples_cover_every_grammar() -> None:
    assert set(_SAMPLES) == set(GRAMMARS)


@pytest.mark.parametrize("language", list(_SAMPLES))
def test_definitions_of_each_language_are_found_with_qualified_names(language: str) -> None:
    source, names = _SAMPLES[language]
    assert [one.name for one in _SYNTAX.definitions(source, language)] == names


def test_definitions_include_comments_and_decorators_above() -> None:
    source = _SAMPLES["python"][0]
    first = _SYNTAX.definitions(source, "python")[0]
    assert source[first.start : first.end].startswith("# Grinds.\n@mill\ndef grind")


def test_definitions_leave_a_remark_on_the_line_above_alone() -> None:
    source = "int a; // remark\nvoid turn(void) {}\n"
    first = _SYNTAX.definitions(source, "c")[0]
    assert source[first.start : first.end] == "void turn(void) {}"


def test_definitions_offsets_are_characters_beyond_ascii() -> None:
    source = "# 水車 🌊\nÜ = 'ü'\n\n\ndef mühle():\n    pass\n"
    one = _SYNTAX.definitions(source, "python")[0]
    assert source[one.start : one.end] == "def mühle():\n    pass"


def test_definitions_of_an_unknown_language_are_none() -> None:
    assert _SYNTAX.definitions("def x(): pass", "klingon") == []


@pytest.mark.parametrize("source", ["class A{" * 20_000, "[" * 100_000, "def a(:\n" * 1_000, "\0\0"])
@pytest.mark.parametrize("language", ["java", "python", "cpp"])
def test_definitions_of_broken_code_are_found_as_far_as_they_go(source: str, language: str) -> None:
    assert isinstance(_SYNTAX.definitions(source, language), list)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(_SAMPLES)), st.data())
def test_definitions_of_damaged_code_are_nested_and_inside(language: str, data: st.DataObject) -> None:
    source = _SAMPLES[language][0]
    cut = data.draw(st.integers(0, len(source)))
    source = source[:cut] + data.draw(st.text(alphabet="{}()<>\n;ü class def", max_size=20)) + source[cut:]
    around: list[int] = []
    last = 0
    for one in _SYNTAX.definitions(source, language):
        assert last <= one.start < one.end <= len(source)
        while around and around[-1] <= one.start:
            around.pop()
        assert not around or one.end <= around[-1]
        around.append(one.end)
        last = one.start
