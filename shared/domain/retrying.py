"""Where a retry of a failed generation begins, and when only another file helps."""

from collections.abc import Sequence
from datetime import timedelta

from shared.domain.documents import Generation, GenerationState, Recipe

UNREADABLE = frozenset(
    (
        "archive_limits",
        "corrupt_file",
        "empty_file",
        "encrypted",
        "file_too_large",
        "no_pages",
        "no_text",
        "parser_crashed",
        "parser_memory",
        "parser_timeout",
        "too_deep",
        "too_many_pages",
        "too_much_text",
        "unsupported_type",
    )
)
"""Every code a reader refuses a file with."""
_PASSING = frozenset(("parser_crashed", "parser_memory", "parser_timeout"))
"""Refusals that may have had to do with the machine: worth another try."""
_NO_UPLOAD = frozenset(("upload_missing", "upload_never_arrived"))
KEPT = timedelta(hours=1)
"""So long chunks and vectors of a version that failed are kept beside the one that is served."""
TOO_MANY_CHUNKS = "too_many_chunks"
MALFORMED_EXTRACTION = "malformed_extraction"


def concerned(generations: Sequence[Generation]) -> Generation | None:
    """The generation that a retry is about; None when there is none at all.

    The latest, unless the newest upload came to nothing: what was made of an older one for another index since then
    must not hide that.

    Args:
        generations: all of a document.
    """
    newest = max((one.upload for one in generations), default=0)
    of_newest = [one for one in generations if one.upload == newest]
    lost = of_newest and all(one.state is GenerationState.FAILED for one in of_newest)
    return max(of_newest if lost else generations, key=lambda one: one.number, default=None)


def restart(failed: Generation, recipe: Recipe) -> GenerationState | None:
    """The furthest step that a retry can begin with, by what is known of the failure; None: a new upload is needed.

    A retry is a generation of its own, and chunks carry their generation in their ids; so the furthest it can begin is
    chunking, from the text that is there. Vectors that were computed are in the cache and cost nothing again.

    Args:
        failed: the generation that failed.
        recipe: what the retry would be made by: another reader may read what this one refused.
    """
    code = failed.failure.code if failed.failure else ""
    same_reader = recipe.reader == failed.recipe.reader
    if not failed.source.version_id or code in _NO_UPLOAD:
        return None
    if same_reader and code in UNREADABLE - _PASSING:
        return None
    if same_reader and code == TOO_MANY_CHUNKS and recipe.chunking == failed.recipe.chunking:
        return None
    cut = GenerationState.CHUNKING.value in failed.timings
    usable = code not in UNREADABLE and code != MALFORMED_EXTRACTION
    return GenerationState.CHUNKING if same_reader and cut and usable else GenerationState.EXTRACTING
