"""Every file made to do harm is answered within the cage, and the next document is read as ever."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.files.limits import CageLimits
from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from tests.corpora.bombs import bombs
from tests.corpora.malformed import Trial

_BOMBS = bombs()
_LIMITS = CageLimits(text_chars=1_000_000, blocks=50_000, archive_entries=2_000)
"""Narrower than in life, for what grows with them to take less time."""


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    reader = CagedFilesReader(_LIMITS, syntax=TreeSitterSyntax)
    yield Trial(reader, tmp_path_factory.mktemp("bombs"))
    reader.close()


@pytest.mark.parametrize("name", list(_BOMBS))
def test_read_bomb_stays_within_the_cage_and_harms_nobody(trial: Trial, name: str) -> None:
    ending = trial.read(name, "", _BOMBS[name])
    assert trial.exceeded(ending) == []
    assert "root:" not in ending.text
    assert "hahahahaha" not in ending.text
    assert not trial.bystander_changed(len(name))


@pytest.mark.parametrize(
    "name", ["ratio.docx", "ratio.xlsx", "ratio.odt", "entries.docx", "overlap.docx", "nested.zip"]
)
def test_read_archive_bomb_is_refused_before_it_is_unpacked(trial: Trial, name: str) -> None:
    ending = trial.read(name, "", _BOMBS[name])
    assert ending.code in ("archive_limits", "unsupported_type")
    assert ending.seconds < trial.reader.limits.wall_seconds


def test_bombs_are_small(tmp_path: Path) -> None:
    for name, data in _BOMBS.items():
        assert len(data) < 20_000_000, name
