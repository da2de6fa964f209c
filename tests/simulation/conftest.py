"""The long campaigns begin as soon as it is known that their tests will be run."""

import pytest

from tests.simulation.beside import BESIDE, CAMPAIGN, MUTANT_JOBS

WAITED_FOR = [
    ("test_histories_hold_what_is_promised", CAMPAIGN),
    *(("test_mutant_is_caught", job) for job in MUTANT_JOBS),
]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin what the chosen tests wait for."""
    if session.config.option.collectonly:
        return
    names = {getattr(item, "originalname", item.name) for item in session.items}
    for name, arguments in WAITED_FOR:
        if name in names:
            BESIDE.begin(*arguments)


def pytest_sessionfinish() -> None:
    """A session that ends early takes them along."""
    BESIDE.end()
