"""What must be true afterwards: nothing lost, nothing twice, nothing stuck."""

import time
from dataclasses import dataclass, field

from tests.crashes.course import Course, text_of, word_of

_COMMITTED = (
    "(SELECT CASE c.slot WHEN 1 THEN d.committed_1 ELSE d.committed_0 END FROM collections AS c "
    "WHERE (c.tenant_id, c.id) = (d.tenant_id, d.collection_id))"
)
_DOUBLED = "SELECT path FROM documents WHERE collection_id = %s GROUP BY path HAVING count(*) > 1"
_NOT_ONCE = {
    name: (
        f"SELECT d.path FROM documents AS d LEFT JOIN {name} AS x ON (x.tenant_id, x.document_id) = "
        "(d.tenant_id, d.id) WHERE d.collection_id = %s AND d.status = 'indexed' "
        "GROUP BY d.path HAVING count(x.document_id) <> 1"
    )
    for name in ("chunks", "vectors", "keywords")
}
_STALE = {
    name: (
        f"SELECT d.path FROM {name} AS x JOIN documents AS d ON (d.tenant_id, d.id) = (x.tenant_id, x.document_id) "
        f"WHERE d.collection_id = %s AND x.generation IS DISTINCT FROM {_COMMITTED}"
    )
    for name in ("chunks", "vectors", "keywords")
}
_TEXTS = (
    "SELECT d.path, c.text FROM documents AS d JOIN chunks AS c "
    f"ON (c.tenant_id, c.document_id, c.generation) = (d.tenant_id, d.id, {_COMMITTED}) "
    "WHERE d.collection_id = %s AND d.status = 'indexed'"
)
_STUCK = (
    "SELECT d.path, g.state FROM generations AS g JOIN documents AS d ON (d.tenant_id, d.id) = (g.tenant_id, "
    "g.document_id) WHERE d.collection_id = %s AND g.due_at IS NOT NULL AND g.state <> 'awaiting_upload'"
)
# The first index of a collection has its id.
_COUNTED = "SELECT chunks FROM keyword_statistics WHERE index_id = %s"


@dataclass(slots=True)
class Verdict:
    """What went wrong, each by the names of documents; all empty when nothing did."""

    lost: list[str] = field(default_factory=list)
    """Acknowledged, and not indexed with the text that was sent."""
    twice: list[str] = field(default_factory=list)
    """Not exactly one row where there must be one, or a row of another generation than the one that is served."""
    stuck: list[str] = field(default_factory=list)
    unfound: list[str] = field(default_factory=list)
    """A search for its own words does not find it, or finds it twice."""

    @property
    def sound(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.lost or self.twice or self.stuck or self.unfound)


def judge(course: Course, *, patience: float = 60.0) -> Verdict:
    """Look at every store, and search for every document.

    Args:
        course: the documents that were sent.
        patience: seconds that what former tries left may take to be cleaned up.
    """
    verdict = Verdict()
    texts: dict[str, str] = dict(course.rows(_TEXTS))
    for number in course.acknowledged:
        name = f"lighthouse-{number}.txt"
        if texts.get(name) != text_of(number):
            verdict.lost.append(name)
    verdict.twice = _twice(course, patience)
    verdict.stuck = [f"{path} {state}" for path, state in course.rows(_STUCK)]
    for number in sorted(course.acknowledged):
        found = [hit["document_name"] for hit in course.hits(word_of(number))]
        name = f"lighthouse-{number}.txt"
        if found.count(name) != 1:
            verdict.unfound.append(f"{name}: {found[:3]}")
    return verdict


def _twice(course: Course, patience: float) -> list[str]:
    """What is there more or less than once."""
    until = time.monotonic() + patience
    while True:
        queries = [("documents", _DOUBLED), *_NOT_ONCE.items(), *_STALE.items()]
        found = [f"{name}: {path}" for name, query in queries for (path,) in course.rows(query)]
        counted = sum(chunks for (chunks,) in course.rows(_COUNTED))
        if counted != course.documents:
            found.append(f"keyword_statistics count {counted} chunks of {course.documents}")
        if not found or time.monotonic() > until:
            return found
        time.sleep(1)
