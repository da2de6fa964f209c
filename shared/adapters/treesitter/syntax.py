"""The `Syntax` of the languages that have a tree-sitter grammar."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tree_sitter import Node, Parser

from shared.adapters.treesitter.grammars import ATTACHED, GRAMMARS, TRANSPARENT, WRAPPERS, Grammar, language
from shared.ports.syntax import Definition

_DEEPEST = 60
_FUNCTIONS = frozenset(("arrow_function", "function_expression", "function", "generator_function", "class"))
_VARIABLES = frozenset(("lexical_declaration", "variable_declaration"))
_MOST_STEPS = 8


@dataclass(frozen=True, slots=True)
class _Found:
    """A definition whose offsets are bytes."""

    start: int
    end: int
    name: str


class TreeSitterSyntax:
    """Definitions as tree-sitter grammars see them. Broken code yields what could be made out of it."""

    def definitions(self, text: str, language: str) -> list[Definition]:
        """See `shared.ports.syntax.Syntax`."""
        grammar = GRAMMARS.get(language)
        if grammar is None:
            return []
        data = text.encode()
        root = _parser(language).parse(data).root_node
        found = sorted(_walk(root, grammar), key=lambda one: (one.start, -one.end))
        return _in_characters(data, _nested(found))


def _parser(name: str) -> Parser:
    return Parser(language(name))


def _walk(root: Node, grammar: Grammar) -> Iterable[_Found]:
    """Definitions in `root`. A loop, not recursion: code may be nested as deeply as it likes."""
    waiting: list[tuple[Node, str, int]] = [(root, "", 0)]
    while waiting:
        parent, prefix, depth = waiting.pop()
        for node in parent.named_children:
            kind = node.type
            container = kind in grammar.containers
            name = _name(node) if container or kind in grammar.leaves else ""
            if name:
                qualified = f"{prefix}{name}"
                outer = _outermost(node)
                yield _Found(_start(outer), outer.end_byte, qualified)
                if container and depth < _DEEPEST:
                    waiting.append((node, f"{qualified}.", depth + 1))
            elif (kind in TRANSPARENT or container) and depth < _DEEPEST:
                waiting.append((node, prefix, depth + 1))


def _name(node: Node) -> str:
    """What a definition is called; empty when it has no name, or is no definition after all."""
    if node.type in _VARIABLES:
        return _variable(node)
    if node.type.endswith("_specifier") and node.child_by_field_name("body") is None:
        # A mention of a type, such as `struct stat`, not its definition.
        return ""
    for field in ("name", "declarator", "type"):
        if (child := node.child_by_field_name(field)) is not None:
            return _innermost(child)
    for child in node.named_children:
        # Go declares types in groups of specifications.
        if child.type == "type_spec" and (name := child.child_by_field_name("name")) is not None:
            return _text(name)
    return ""


def _variable(node: Node) -> str:
    """The variable a function or class is assigned to."""
    for child in node.named_children:
        value = child.child_by_field_name("value")
        name = child.child_by_field_name("name")
        if value is not None and name is not None and value.type in _FUNCTIONS:
            return _text(name)
    return ""


def _innermost(node: Node) -> str:
    """The name in a declarator: C wraps it in pointers, parameters and the like."""
    for _ in range(_MOST_STEPS):
        inner = node.child_by_field_name("declarator") or node.child_by_field_name("name")
        if inner is None:
            break
        node = inner
    return _text(node)


def _text(node: Node) -> str:
    words = (node.text or b"").decode("utf-8", "replace").split()
    return " ".join(words)[:100]


def _outermost(node: Node) -> Node:
    """The node with its `export`, its decorators or its template parameters."""
    while (parent := node.parent) is not None and parent.type in WRAPPERS:
        node = parent
    return node


def _start(node: Node) -> int:
    """Where the comments and attributes directly above a definition begin."""
    start, row = node.start_byte, node.start_point[0]
    before = node.prev_named_sibling
    while before is not None and before.type in ATTACHED and before.end_point[0] >= row - 1:
        above = before.prev_named_sibling
        if above is not None and above.type not in ATTACHED and above.end_point[0] == before.start_point[0]:
            # A remark behind the code of the line above is no part of this.
            break
        start, row = before.start_byte, before.start_point[0]
        before = above
    return start


def _nested(found: Sequence[_Found]) -> list[_Found]:
    """The definitions without those that cross the end of one before them, which broken code can produce."""
    kept: list[_Found] = []
    around: list[_Found] = []
    for one in found:
        while around and around[-1].end <= one.start:
            around.pop()
        if one.end > one.start and (not around or one.end <= around[-1].end):
            kept.append(one)
            around.append(one)
    return kept


def _in_characters(data: bytes, found: Sequence[_Found]) -> list[Definition]:
    """Byte offsets of UTF-8 turned into characters, in one pass."""
    if data.isascii():
        return [Definition(one.start, one.end, one.name) for one in found]
    places: dict[int, int] = {0: 0}
    at = characters = 0
    for offset in sorted({edge for one in found for edge in (one.start, one.end)}):
        characters += len(data[at:offset].decode("utf-8", "ignore"))
        places[offset] = characters
        at = offset
    return [Definition(places[one.start], places[one.end], one.name) for one in found]
