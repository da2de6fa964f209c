"""kill -9 of Postgres and of function processes while documents go through the local cloud.

    uv run python -m tests.crashes [--documents 1000] [--database-kills 500] [--worker-kills 2000] [--minutes 25]

A database kill hits the server, which is then started again, or one of its processes, after which the server ends all
others and recovers; by turns. Worker kills are aimed in turn: at each stage and at the sweep, in the middle of an
invocation (the process is stopped, the host still waits for its answer, then it is killed), and at any process at all.
Every kill counts only if the process lived until then and is gone afterwards. Documents are sent as fast as the kills
proceed. Fails when an acknowledged upload is not indexed with the text that was sent, when anything is stored twice or
of another generation than the one served, when anything is stuck, or when a search does not find each document once.
Documents that were given up after several killed tries are taken up again at the end, as an operator does, and counted.
"""

import argparse
import math
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

from shared.local import cloud
from shared.local.cloud import Options
from tests.crashes.course import Course
from tests.crashes.place import ENVIRONMENT, Place
from tests.crashes.run import Outcome, run
from tests.crashes.storm import Plan

_ROOT = Path(__file__).parents[2]


def report(outcome: Outcome, plan: Plan) -> None:
    """Print what happened."""
    kills, verdict = outcome.kills, outcome.verdict
    print(f"{outcome.documents} documents, seed {plan.seed}: {outcome.storm_seconds:.0f} s of kills, ", end="")
    print(f"settled {outcome.settled_seconds:.0f} s later")
    print(
        f"kills: {kills.by_kind.total()}, each of a process that lived; {kills.missed} came too late and do not count"
    )
    for kind, count in kills.by_kind.most_common():
        at_work = f", {kills.at_work[kind]} of them in the middle of an invocation" if kills.at_work[kind] else ""
        print(f"  {count:>6}  {kind}{at_work}")
    if kills.recoveries:
        median, longest = statistics.median(kills.recoveries), max(kills.recoveries)
        print(f"Postgres answers again after {median:.2f} s (median), {longest:.2f} s (longest)")
    print(f"requests sent again: {outcome.repeated.total()} {dict(outcome.repeated.most_common(6))}")
    print(f"documents: {dict(outcome.statuses)}; given up and taken up again: {outcome.retried}")
    for name, found in (
        ("acknowledged uploads lost", verdict.lost),
        ("duplicates", verdict.twice),
        ("stuck", verdict.stuck),
        ("not found once by a search", verdict.unfound),
    ):
        print(f"{name}: {len(found)} {found[:5] or ''}")


def main() -> int:
    """Run and print; 1 when something was lost, doubled or stuck."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--database-kills", type=int, default=500)
    parser.add_argument("--worker-kills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=0.0, help="end the storm then, whatever is left of it")
    parser.add_argument("--keep", action="store_true", help="leave the state folder, with all logs")
    chosen = parser.parse_args()
    seconds = chosen.minutes * 60 if chosen.minutes else math.inf
    plan = Plan(chosen.database_kills, chosen.worker_kills, chosen.seed, seconds=seconds)
    state = Path(tempfile.mkdtemp(prefix="lambent-crashes-"))
    state.chmod(0o755)
    print(f"state and logs: {state}", flush=True)
    began = time.monotonic()
    ready = cloud.up_detached(Options(root=_ROOT, state=state, environment=ENVIRONMENT, port=8700, watch=False))
    headers = {"Authorization": f"Bearer {ready.api_key}"}
    try:
        with httpx.Client(base_url=f"{ready.url}/api/v1", headers=headers, timeout=60, trust_env=False) as api:
            place = Place.of(_ROOT, state, ready, api)
            outcome = run(Course(place, chosen.documents), plan, patience=1200)
    finally:
        cloud.down(_ROOT, state=state)
        if not chosen.keep:
            shutil.rmtree(state, ignore_errors=True)
    report(outcome, plan)
    print(f"{time.monotonic() - began:.0f} s in all")
    return 0 if outcome.verdict.sound else 1


if __name__ == "__main__":
    sys.exit(main())
