"""Flaws planted in the real code: a suite that lets one live proves nothing, so every one must be caught."""

import json

import pytest

from tests.simulation.beside import BESIDE, MUTANT_JOBS
from tests.simulation.mutants import MUTANTS
from tests.simulation.mutation import Edit, Mutant, function_of, mutated, planted


@pytest.fixture(scope="module")
def caught() -> dict[str, str]:
    """What caught each mutant."""
    found: dict[str, str] = {}
    for job in MUTANT_JOBS:
        found.update(json.loads(BESIDE.told(*job)))
    return found


def test_there_are_mutants_enough() -> None:
    assert len(MUTANTS) >= 30
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_mutant_fits_the_code(mutant: Mutant) -> None:
    functions = [function_of(edit.function) for edit in mutant.edits]
    before = [function.__code__ for function in functions]
    with planted(mutant):
        assert all(function.__code__ is not code for function, code in zip(functions, before, strict=True))


@pytest.mark.parametrize("name", [mutant.name for mutant in MUTANTS])
def test_mutant_is_caught(name: str, caught: dict[str, str]) -> None:
    assert caught[name], "no history noticed it"


def test_planted_mutant_is_gone_afterwards() -> None:
    mutant = MUTANTS[0]
    function = function_of(mutant.edits[0].function)
    before = function.__code__
    with planted(mutant):
        assert function.__code__ is not before
    assert function.__code__ is before


def test_edit_that_no_longer_fits_is_told() -> None:
    name = MUTANTS[0].edits[0].function
    with pytest.raises(LookupError, match="0 times"):
        mutated(function_of(name), Edit(name, "words that are not in it", ""))
