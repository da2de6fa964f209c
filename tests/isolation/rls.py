"""`uv run python -m tests.isolation.rls [--n 1000000] [--minutes 30] [--seed 1]`: transactions against the model."""

import argparse
import asyncio
import math
import sys

from tests.fixtures.postgres import PostgresUrls
from tests.isolation.__main__ import database
from tests.isolation.oracle import Oracle, Tally, report


async def judged(urls: PostgresUrls, seed: int, count: int, seconds: float = math.inf) -> Tally:
    """So many transactions on an empty database."""
    oracle = Oracle(urls, seed)
    try:
        await oracle.settle()
        return await oracle.run(count, seconds)
    finally:
        await oracle.close()


def main() -> int:
    """Print what came of it; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin none after so long")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with database() as urls:
        tally = asyncio.run(judged(urls, chosen.seed, chosen.n, chosen.minutes * 60))
    print(report(tally, chosen.seed))
    return int(bool(tally.wrong))


if __name__ == "__main__":
    sys.exit(main())
