"""Postgres and function processes are killed -9 while documents go through: none is lost, doubled or stuck."""

import psycopg
import pytest

from tests.crashes.course import Course
from tests.crashes.place import Place
from tests.crashes.run import Outcome, run
from tests.crashes.storm import Plan
from tests.crashes.verdict import judge
from tests.e2e.conftest import ROOT, Cloud

_PLAN = Plan(database_kills=20, worker_kills=50, seed=20261121)
_DOCUMENTS = 80
_PATIENCE = 300.0
"""Seconds to wait at most; nothing is asserted about how long it takes."""


@pytest.fixture(scope="module")
def course(running: Cloud) -> Course:
    return Course(Place.of(ROOT, running.state, running.ready, running.api), _DOCUMENTS)


@pytest.fixture(scope="module")
def outcome(course: Course) -> Outcome:
    return run(course, _PLAN, patience=_PATIENCE)


def test_crashes_every_kill_hit_a_process_that_lived(outcome: Outcome) -> None:
    kills = outcome.kills
    assert kills.by_kind["Postgres, the server"] == kills.by_kind["Postgres, a backend"] == 10
    assert kills.by_kind.total() == 70
    assert len(kills.recoveries) == 20
    # Some in the middle of an invocation, for certain. Which stages chance decides here; the command meets each.
    assert kills.at_work.total() > 0
    # Killed in the middle of something: what was under way had to be asked again.
    assert outcome.repeated.total() > 0


def test_crashes_no_acknowledged_upload_is_lost_doubled_or_stuck(outcome: Outcome) -> None:
    assert outcome.statuses == {"indexed": _DOCUMENTS}
    assert outcome.verdict.lost == []
    assert outcome.verdict.twice == []
    assert outcome.verdict.stuck == []
    assert outcome.verdict.unfound == []


_DAMAGE = {
    "twice": ["DELETE FROM vectors WHERE document_id = %s", "DELETE FROM keywords WHERE document_id = %s"],
    "lost": ["UPDATE chunks SET text = 'other' WHERE document_id = %s"],
    "unfound": ["UPDATE documents SET committed_0 = NULL WHERE id = %s"],
    "stuck": ["UPDATE generations SET state = 'embedding', due_at = now() + interval '1 day' WHERE document_id = %s"],
}


def test_judge_of_damaged_stores_names_the_documents(outcome: Outcome, course: Course) -> None:
    assert outcome.verdict.sound
    damaged: dict[str, list[str]] = {}
    with psycopg.connect(course.place.database) as connection:
        for number, (told, statement) in enumerate((told, one) for told, some in _DAMAGE.items() for one in some):
            assert connection.execute(statement.encode(), [course.acknowledged[number]]).rowcount == 1
            damaged.setdefault(told, []).append(f"lighthouse-{number}.txt")
    verdict = judge(course, patience=0)
    for told, names in damaged.items():
        found = " ".join(getattr(verdict, told))
        assert [name for name in names if name not in found] == [], told
    assert len(verdict.stuck) == 1
