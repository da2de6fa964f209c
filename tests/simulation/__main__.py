"""Ingestion histories under faults, as many as you like.

    uv run python -m tests.simulation --histories 1000000 --seed 1 [--processes 2] [--minutes 10]
    uv run python -m tests.simulation --replay 4711 [--crash-at ingest_chunk.database.commit.after]

Prints how many histories there were, faults fired by kind, crash points with their hits, and every violation with the
seed that replays it. Ends with 1 when there was one.
"""

import argparse
import json
import os
import sys
from time import perf_counter

from tests.simulation.campaign import ENVIRONMENT, Report, campaign, caught, live, prepare


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, help="begin no more histories after so many")
    parser.add_argument("--replay", type=int, help="one seed, told in full")
    parser.add_argument("--crash-at", help="with --replay: the point to crash at")
    parser.add_argument("--block", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--nice", type=int, default=0, help="give way to other processes")
    parser.add_argument("--report", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--mutants", nargs="+", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--forced", nargs="+", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    os.nice(chosen.nice)
    if chosen.block:
        first, count = chosen.block
        print(live((seed, None) for seed in range(first, first + count)).to_json())
        return 0
    if chosen.forced:
        pairs = (one.split("@", 1) for one in chosen.forced)
        print(live((int(seed), point) for seed, point in pairs).to_json())
        return 0
    if chosen.mutants:
        print(json.dumps(caught(chosen.mutants)))
        return 0
    if chosen.replay is not None:
        return replay(chosen.replay, chosen.crash_at)
    began = perf_counter()
    until = None if chosen.minutes is None else began + 60 * chosen.minutes
    report = campaign(chosen.histories, chosen.seed, chosen.processes, until=until)
    if chosen.report:
        print(report.to_json())
        return 0
    tell(report, perf_counter() - began, chosen.processes)
    return 1 if report.violations else 0


def replay(seed: int, crash_at: str | None) -> int:
    """Live one history again and tell it."""
    os.environ.update(ENVIRONMENT)
    from tests.simulation.history import History

    prepare()
    outcome = History(seed, crash_at, told=True).run()
    print("\n".join(outcome.trace))
    print(f"\nseed {seed}: {outcome.turns} turns, {outcome.seconds:.0f} virtual seconds, faults {dict(outcome.fired)}")
    for violation in outcome.violations:
        print(f"VIOLATION {violation}")
    return 1 if outcome.violations else 0


def tell(report: Report, seconds: float, processes: int) -> None:
    """Print what a campaign adds up to."""
    rate = report.histories / seconds
    print(f"{report.histories} histories in {seconds:.0f} s: {rate:.1f}/s on {processes} processes")
    print(f"{report.turns} turns, {report.hours:.0f} virtual hours, {report.texts} texts embedded")
    print("faults fired:")
    for kind, count in report.fired.most_common():
        print(f"  {count:8d}  {kind}")
    print("texts embedded again, by what excuses it:")
    for why, count in report.again.most_common():
        print(f"  {count:8d}  {why}")
    print(f"crash points: {len(report.visits)} come by, {len(report.crashes)} crashed at")
    for point, count in sorted(report.visits.items()):
        print(f"  {report.crashes[point]:8d} of {count:9d}  {point}")
    print(f"violations: {report.wrong} histories")
    for seed, point, what in report.violations:
        forced = f" --crash-at {point}" if point else ""
        print(f"  {what}\n    replay: uv run python -m tests.simulation --replay {seed}{forced}")


if __name__ == "__main__":
    sys.exit(main())
