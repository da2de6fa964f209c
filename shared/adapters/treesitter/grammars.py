"""Which grammar reads which language, and what its definitions are called."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import cast

from tree_sitter import Language


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


@dataclass(frozen=True, slots=True)
class Grammar:
    """How to load a grammar, and the names of its nodes that matter."""

    module: str
    leaves: frozenset[str]
    """Definitions that are not looked into: functions and the like."""
    containers: frozenset[str]
    """Definitions that hold others: classes, modules, namespaces."""
    function: str = "language"


_C_LEAVES = "function_definition struct_specifier enum_specifier union_specifier type_definition"
_SCRIPT_LEAVES = (
    "function_declaration generator_function_declaration method_definition interface_declaration type_alias_declaration"
    " enum_declaration lexical_declaration variable_declaration"
)
_SCRIPT_CONTAINERS = "class_declaration abstract_class_declaration class internal_module module"

GRAMMARS = {
    "python": Grammar("tree_sitter_python", _words("function_definition"), _words("class_definition")),
    "javascript": Grammar("tree_sitter_javascript", _words(_SCRIPT_LEAVES), _words(_SCRIPT_CONTAINERS)),
    "typescript": Grammar(
        "tree_sitter_typescript", _words(_SCRIPT_LEAVES), _words(_SCRIPT_CONTAINERS), "language_typescript"
    ),
    "tsx": Grammar("tree_sitter_typescript", _words(_SCRIPT_LEAVES), _words(_SCRIPT_CONTAINERS), "language_tsx"),
    "java": Grammar(
        "tree_sitter_java",
        _words("method_declaration constructor_declaration annotation_type_declaration"),
        _words("class_declaration interface_declaration enum_declaration record_declaration"),
    ),
    "go": Grammar("tree_sitter_go", _words("function_declaration method_declaration type_declaration"), frozenset()),
    "rust": Grammar(
        "tree_sitter_rust",
        _words("function_item struct_item enum_item union_item macro_definition type_item"),
        _words("impl_item trait_item mod_item"),
    ),
    "c": Grammar("tree_sitter_c", _words(_C_LEAVES), frozenset()),
    "cpp": Grammar(
        "tree_sitter_cpp",
        _words("function_definition enum_specifier union_specifier type_definition"),
        _words("class_specifier struct_specifier namespace_definition"),
    ),
    "csharp": Grammar(
        "tree_sitter_c_sharp",
        _words("method_declaration constructor_declaration property_declaration enum_declaration delegate_declaration"),
        _words("namespace_declaration class_declaration interface_declaration struct_declaration record_declaration"),
    ),
    "ruby": Grammar("tree_sitter_ruby", _words("method singleton_method"), _words("module class")),
}
"""By the names that `shared.ports.syntax.Syntax` uses."""

TRANSPARENT = _words(
    "export_statement decorated_definition template_declaration class_body declaration_list field_declaration_list"
    " block body_statement enum_body interface_body statement_block linkage_specification preproc_if preproc_ifdef"
    " preproc_else module program source_file translation_unit compilation_unit enum_body_declarations"
    " ambient_declaration expression_statement internal_module namespace_declaration"
    " file_scoped_namespace_declaration ERROR"
)
"""Nodes that are no definitions but may hold some."""
WRAPPERS = _words("export_statement decorated_definition template_declaration ambient_declaration")
"""Those of them that belong to the definition in them."""
ATTACHED = _words("comment line_comment block_comment attribute_item decorator")
"""What stands before a definition and belongs to it."""


@cache
def language(name: str) -> Language:
    """Load the grammar of a language. Each is native code of up to 5 MB, so only what is asked for is loaded."""
    grammar = GRAMMARS[name]
    load = cast(Callable[[], object], getattr(import_module(grammar.module), grammar.function))
    return Language(load())
