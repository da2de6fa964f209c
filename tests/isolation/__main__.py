"""`uv run python -m tests.isolation [--probes 100000] [--minutes 30] [--seed 1]`: who gets at what is not theirs."""

import argparse
import asyncio
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from shared.adapters.postgres.migrate import PgMigrations
from tests.fixtures.postgres import PostgresUrls, TestServer
from tests.isolation.attackers import Crowds
from tests.isolation.probing import Campaign, report
from tests.isolation.town import built
from tests.schemas.__main__ import Nowhere


@contextmanager
def database() -> Iterator[PostgresUrls]:
    """A server of its own, migrated."""
    server = TestServer()
    try:
        urls = server.create_database()
        asyncio.run(PgMigrations(urls.owner, urls.app).migrate())
        yield urls
    finally:
        server.stop()


def main() -> int:
    """Print what came of it; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=5_000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="send none after so long")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with database() as urls, redirect_stdout(Nowhere()), built(urls) as town:
        tally = Campaign(town, Crowds(town), chosen.seed).run(chosen.probes, seconds=chosen.minutes * 60)
    print(report(tally, chosen.seed))
    return int(bool(tally.leaks or tally.unfit))


if __name__ == "__main__":
    sys.exit(main())
