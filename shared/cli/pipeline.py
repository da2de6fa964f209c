"""The steps a document goes through, in order, and what people call them."""

from collections.abc import Mapping

from shared.cli.plain import milliseconds

STAGES = ("awaiting_upload", "queued", "extracting", "chunking", "embedding", "publishing")
"""States of a version on its way."""

TITLES = {
    "awaiting_upload": "Upload",
    "queued": "Wait",
    "extracting": "Read",
    "chunking": "Cut",
    "embedding": "Embed",
    "publishing": "Publish",
}


def in_order(timings: Mapping[str, float]) -> list[str]:
    """The steps that have a time, in the pipeline's order; unknown ones last."""
    return [*(step for step in STAGES if step in timings), *(step for step in timings if step not in STAGES)]


def title(step: str) -> str:
    """What people call a step."""
    return TITLES.get(step, step.replace("_", " ").capitalize())


def told(timings: Mapping[str, float]) -> str:
    """Times in one line: 'upload 3.9 s · read 3.2 s'."""
    return " · ".join(f"{title(step).lower()} {milliseconds(timings[step])}" for step in in_order(timings))
