"""Does the time of a refused sign-in tell whether there is such an account?

`uv run python -m tests.benchmarks.signin_timing [--tries 2000]`. Sign-ins with a wrong password, at an account that
exists and at one that does not, by turns in an order drawn anew for each pair, against PostgreSQL and argon2id. Printed
is Welch's t of the two samples; beyond 4.5 a difference is taken for real. The slowest twentieth of either is left out
of the second figure: that is the machine's, not ours.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Sequence

from shared import bootstrap
from shared.adapters.argon2.passwords import Argon2Passwords
from shared.adapters.postgres.migrate import PgMigrations
from shared.adapters.postgres.store import PgStore
from shared.domain.errors import Unauthenticated
from shared.domain.users import User, UserScope
from shared.usecases.auth import guesses, sign_in
from shared.usecases.auth.sign_in import Device
from tests.fixtures.postgres import TestServer

KNOWN, UNKNOWN = "known@example.com", "nobody@example.com"


def welch(one: Sequence[float], other: Sequence[float]) -> float:
    """Welch's t."""
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return float((statistics.fmean(one) - statistics.fmean(other)) / spread**0.5)


def trimmed(times: Sequence[float]) -> Sequence[float]:
    """Without the slowest twentieth."""
    return sorted(times)[: len(times) * 19 // 20]


async def attempt(email: str) -> float:
    """Seconds of one refused sign-in. Its counters are cleared, untimed: locked out is no sign-in."""
    powers, where = bootstrap.powers(), Device("", "")
    began = time.perf_counter()
    async with bootstrap.transaction(None) as ports:
        account = await sign_in.look_up(ports, email, where)
    good = await powers.passwords.matches("a wrong password", account.password_hash)
    async with bootstrap.transaction(None) as ports:
        outcome = await sign_in.settle(ports, account, good, where)
    spent = time.perf_counter() - began
    assert isinstance(outcome, Unauthenticated)
    async with bootstrap.transaction(None) as ports:
        await guesses.right(ports, "sign_in", email, "")
    return spent


async def measured(tries: int, seed: int) -> dict[str, list[float]]:
    """Times by address."""
    chance = random.Random(seed)
    async with bootstrap.transaction(None) as ports:
        user = User(ports.ids.new(), KNOWN, "Ada", ports.clock.now(), verified_at=ports.clock.now())
        await ports.users.add(UserScope(user.id), user, await ports.passwords.hash("correct horse battery"))
    times: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    for _ in range(20):
        await attempt(UNKNOWN)
    for _ in range(tries // 2):
        for email in chance.sample((KNOWN, UNKNOWN), 2):
            times[email].append(await attempt(email))
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    server = TestServer()
    try:
        urls = server.create_database()
        asyncio.run(PgMigrations(urls.owner, urls.app).migrate())
        with bootstrap.override(store=PgStore(urls.app), passwords=Argon2Passwords()):
            times = asyncio.run(measured(asked.tries, asked.seed))
    finally:
        server.stop()
    for email, found in times.items():
        print(f"{email:20} {len(found):5} tries  median {statistics.median(found) * 1000:7.2f} ms")
    print(f"Welch t {welch(times[KNOWN], times[UNKNOWN]):+.2f} of all,", end=" ")
    print(f"{welch(trimmed(times[KNOWN]), trimmed(times[UNKNOWN])):+.2f} without the slowest twentieth; bar 4.5")


if __name__ == "__main__":
    main()
