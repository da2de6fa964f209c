"""The database shows and takes what the model says; more by `python -m tests.isolation.rls --n 1000000`."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.postgres import PostgresUrls, TestServer
from tests.isolation.conftest import migrated
from tests.isolation.model import TABLES
from tests.isolation.oracle import Oracle, report

SEED = 1
TRANSACTIONS = 20_000
PATIENCE = 400
"""Transactions about one table after which a hole in it has been met."""


@pytest.fixture(scope="module")
def urls(postgres_server: TestServer) -> PostgresUrls:
    """A database of the module's."""
    return migrated(postgres_server, "oracle")


@pytest.fixture
async def oracle(urls: PostgresUrls) -> AsyncIterator[Oracle]:
    """Tenants with rows in every table, beside those of the tests before."""
    made = Oracle(urls, SEED)
    await made.settle()
    yield made
    await made.close()


@pytest.mark.slow
async def test_random_transactions_are_what_the_model_says(oracle: Oracle) -> None:
    tally = await oracle.run(TRANSACTIONS)
    assert tally.wrong == [], report(tally, SEED)
    assert tally.tables == set(TABLES)
    assert tally.hits > TRANSACTIONS / 10
    assert tally.refused > TRANSACTIONS / 20
    assert {
        "look",
        "look_up",
        "write",
        "give_away",
        "plant",
        "add",
        "remove",
        "nearest",
        "sharing",
        "lists",
        "owner",
    } <= set(tally.by_kind)


HOLES = {
    "a policy that lets everything through": ("ALTER POLICY tenant ON {} USING (true)", "USING ({using})"),
    "a policy that takes everything": ("ALTER POLICY tenant ON {} WITH CHECK (true)", "WITH CHECK ({check})"),
    "no row-level security": ("ALTER TABLE {} DISABLE ROW LEVEL SECURITY", "ENABLE ROW LEVEL SECURITY"),
    "none for who owns the table": ("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY"),
}


def plant(oracle: Oracle, hole: str, table: str) -> str:
    """Make the hole; returns what closes it."""
    opening, closing = HOLES[hole]
    policy = oracle.outside.execute(
        "SELECT qual, with_check FROM pg_policies WHERE tablename = %s AND policyname = 'tenant'", [table]
    ).fetchone()
    assert policy is not None
    oracle.outside.execute(opening.format(table).encode())
    kind = "POLICY tenant ON" if "POLICY" in opening else "TABLE"
    return f"ALTER {kind} {table} {closing.format(using=policy[0], check=policy[1])}"


@pytest.mark.parametrize("hole", HOLES)
async def test_hole_in_any_table_is_met(oracle: Oracle, hole: str) -> None:
    for table in TABLES:
        oracle.tables, oracle.tally.wrong = [table], []
        closing = plant(oracle, hole, table)
        try:
            for _ in range(PATIENCE):
                await oracle.one()
                if any(f": {table}: " in words for words in oracle.tally.wrong):
                    break
            else:
                raise AssertionError(f"nobody met {hole} on {table}")
        finally:
            oracle.outside.execute(closing.encode())
            oracle.model.read(oracle.outside)
    # What went through the hole is gone: others begin anew, and nothing is found with them.
    oracle.tables, oracle.tally.wrong = TABLES, []
    oracle.rooms.clear()
    oracle.model.papers.clear()
    oracle.added.clear()
    await oracle.settle()
    assert (await oracle.run(oracle.tally.transactions + 50)).wrong == []


async def test_access_lists_that_nobody_looks_at_are_met(oracle: Oracle) -> None:
    found = oracle.outside.execute("SELECT qual FROM pg_policies WHERE policyname = 'readable'").fetchone()
    assert found is not None
    for paper in oracle.model.papers.values():
        await oracle.restrict(oracle.room_of(paper), paper)
    oracle.tables = ["documents"]
    oracle.outside.execute("ALTER POLICY readable ON documents USING (true)")
    try:
        await oracle.run(300)
    finally:
        oracle.outside.execute(f"ALTER POLICY readable ON documents USING ({found[0]})".encode())
    wrong = " ".join(oracle.tally.wrong)
    assert "documents: saw" in wrong
    assert "vectors: found" in wrong
    assert "keywords: found" in wrong


async def test_search_that_misses_a_row_is_met(oracle: Oracle) -> None:
    """Recall is compared too: a leg that finds too little is as wrong as one that finds too much."""
    oracle.outside.execute("DELETE FROM vectors WHERE ordinal = 0")
    oracle.model.read(oracle.outside)
    await oracle.run(100)
    assert "vectors: found" in " ".join(oracle.tally.wrong)
