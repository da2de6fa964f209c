"""Planting a mutant: one line of the real code says something else while a block runs."""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any


@dataclass(frozen=True, slots=True)
class Edit:
    """A text in a function that is replaced by another."""

    function: str
    """Full name: module, a colon, and the name within it."""
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A flaw that the design forbids."""

    name: str
    edits: tuple[Edit, ...]
    emphasis: tuple[str, ...] = ()
    """Kinds of faults that bring it to light; none: any history may."""
    cast: tuple[str, ...] = ()
    """Who has to take part."""
    histories: int = 600
    """Within so many it is caught."""


def one(
    name: str,
    function: str,
    old: str,
    new: str,
    *emphasis: str,
    cast: tuple[str, ...] = (),
    histories: int = 600,
) -> Mutant:
    """A mutant of one edit, and the kinds of faults that bring it to light."""
    return Mutant(name, (Edit(function, old, new),), emphasis, cast, histories)


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """The code is as the mutant has it while the block runs."""
    with ExitStack() as stack:
        for edit in mutant.edits:
            stack.enter_context(_edited(edit))
        yield


@contextmanager
def _edited(edit: Edit) -> Iterator[None]:
    # The function itself is changed, not its name: whoever has imported it sees the mutant too.
    function = function_of(edit.function)
    before = function.__code__
    function.__code__ = mutated(function, edit)
    try:
        yield
    finally:
        function.__code__ = before


def mutated(function: FunctionType, edit: Edit) -> CodeType:
    """The function's code with the edit.

    Raises:
        LookupError: the text is not in it, or more than once.
    """
    source = textwrap.dedent(inspect.getsource(function))
    if source.count(edit.old) != 1:
        raise LookupError(f"{edit.function} has {source.count(edit.old)} times what is to be mutated: {edit.old!r}")
    tree = ast.parse(source.replace(edit.old, edit.new))
    found = _code(compile(tree, inspect.getsourcefile(function) or "?", "exec"), function.__name__)
    if found is None:
        raise LookupError(f"{edit.function} has no code of its own")
    return found


def function_of(name: str) -> FunctionType:
    """The function of a full name, as it was written: without its decorators."""
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
    written: Any = found.fget if isinstance(found, property) else found
    found = inspect.unwrap(written)
    assert isinstance(found, FunctionType), name
    return found


def _code(code: CodeType, name: str) -> CodeType | None:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_name == name:
                return constant
            if (inner := _code(constant, name)) is not None:
                return inner
    return None
