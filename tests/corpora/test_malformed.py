"""Five hundred malformed files of every format: the cage holds, and sound documents between them are read as ever."""

from dataclasses import replace
from pathlib import Path

from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from tests.corpora.malformed import LIMITS, Report, Trial, run
from tests.corpora.mutation import Mutants, Seed
from tests.corpora.samples import samples

_FILES = 500
_SEED = 20261121


def _mutants() -> Mutants:
    """Of the samples alone, so that every machine has the same ones."""
    return Mutants({name: [Seed(name, data)] for name, data in samples().items()}, _SEED)


def test_read_malformed_files_the_cage_is_never_exceeded_and_others_are_unaffected(tmp_path: Path) -> None:
    reader = CagedFilesReader(LIMITS, syntax=TreeSitterSyntax)
    report = Report()
    try:
        run(Trial(reader, tmp_path), _mutants(), _FILES, report)
    finally:
        reader.close()
    assert report.exceeded == []
    assert report.changed == []
    assert report.ends.total() == _FILES
    assert report.bystanders == 25
    # Mutants that are all refused, or all read, would try nothing.
    assert report.ends["read"] > 100
    assert report.ends["corrupt_file"] > 50
    assert not {"parser_crashed", "parser_memory"} & set(report.ends), report.noted


def test_mutants_with_one_number_are_one() -> None:
    assert [_mutants().make(number) for number in range(40)] == [_mutants().make(number) for number in range(40)]


def test_mutants_differ_from_their_seeds() -> None:
    sound = set(samples().values())
    same = [number for number in range(300) if _mutants().make(number).data in sound]
    assert len(same) < 30


def test_trial_of_a_cage_that_does_not_hold_says_so(tmp_path: Path) -> None:
    reader = CagedFilesReader(LIMITS, syntax=TreeSitterSyntax)
    try:
        trial = Trial(reader, tmp_path)
        end = trial.read("a.txt", "", b"words")
        assert trial.exceeded(end) == []
        walls = (
            replace(end, peak_bytes=LIMITS.memory_bytes + 1),
            replace(end, cpu_seconds=LIMITS.cpu_seconds + 3),
            replace(end, seconds=LIMITS.wall_seconds + 3),
            replace(end, faults=("unknown reason",)),
        )
        assert all(len(trial.exceeded(one)) == 1 for one in walls)
    finally:
        reader.close()
