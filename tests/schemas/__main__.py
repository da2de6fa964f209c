"""`uv run python -m tests.schemas [--calls 200000] [--seed 1]`: generated calls against the API's description."""

import argparse
import asyncio
import sys
from contextlib import redirect_stdout
from io import StringIO

from shared.adapters.postgres.migrate import PgMigrations
from shared.adapters.postgres.store import PgStore
from tests.fixtures.postgres import TestServer
from tests.schemas.calling import call_all, deployment, report


class Nowhere(StringIO):
    """Forgets what is written."""

    def write(self, text: str, /) -> int:
        """Nothing is kept."""
        return len(text)


def main() -> int:
    """Print what came of it; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    server = TestServer()
    try:
        urls = server.create_database()
        asyncio.run(PgMigrations(urls.owner, urls.app).migrate())
        with redirect_stdout(Nowhere()), deployment(PgStore(urls.app)) as (world, things):
            tally = call_all(world, things, calls=chosen.calls, seed=chosen.seed)
    finally:
        server.stop()
    print(report(tally, chosen.seed))
    return int(bool(tally.crashes or tally.breaks))


if __name__ == "__main__":
    sys.exit(main())
