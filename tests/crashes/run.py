"""One run: documents and kills at the same time, then calm, then the verdict."""

import time
from collections import Counter
from dataclasses import dataclass

from tests.crashes.course import Course
from tests.crashes.storm import Kills, Plan, Storm
from tests.crashes.verdict import Verdict, judge


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    documents: int
    kills: Kills
    statuses: Counter[str]
    retried: int
    """Documents that ended as given up and were taken up again."""
    repeated: Counter[str]
    storm_seconds: float
    settled_seconds: float
    verdict: Verdict


def run(course: Course, plan: Plan, *, patience: float) -> Outcome:
    """Send the documents into the storm, wait for them at most `patience` seconds after it, and judge."""
    course.place.hurry()
    began = time.monotonic()
    with Storm(course.place, plan, course.progress) as storm:
        course.send(storm.share)
        while storm.share() < 1:
            time.sleep(0.1)
    calm = time.monotonic()
    statuses = course.settle(patience)
    retried = course.retry_failed() if statuses["failed"] else 0
    if retried:
        statuses = course.settle(patience)
    settled = time.monotonic()
    return Outcome(
        documents=course.documents,
        kills=storm.kills,
        statuses=statuses,
        retried=retried,
        repeated=course.repeated,
        storm_seconds=calm - began,
        settled_seconds=settled - calm,
        verdict=judge(course),
    )
