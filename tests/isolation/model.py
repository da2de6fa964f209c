"""What every tenant's rows are, in plain sets, and who may read which document: what the database is held against."""

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from shared.adapters.postgres.catalogue import metadata
from shared.domain.chunks import ChunkId

type Key = tuple[str, ...]

OF_NO_TENANT = {"alembic_version", "buckets", "cursors", "attempts", "rates"}
OF_USERS = {"users", "passwords", "identities", "sessions", "refresh_tokens", "tickets"}
TABLES = sorted(
    name for name in metadata.tables if name not in OF_NO_TENANT | OF_USERS and "tenant_id" in metadata.tables[name].c
)
KEYS: Mapping[str, tuple[str, ...]] = {
    name: tuple(column.name for column in metadata.tables[name].primary_key.columns) for name in TABLES
}


@dataclass
class Paper:
    """A document as searches see it."""

    tenant_id: UUID
    project_id: UUID
    collection_id: UUID
    id: UUID
    vectors: Sequence[Sequence[float]]
    words: Sequence[Set[str]]
    generation: int = 1
    readers: Set[str] | None = None
    """None: it has no list, so that everybody of the project may read it."""
    stale: bool = False
    deleted: bool = False

    def admits(self, names: Set[str] | None) -> bool:
        """Whether somebody with these names may read it; None: the system."""
        if names is None or self.readers is None:
            return True
        return not self.stale and not {"everyone", *names}.isdisjoint(self.readers)


@dataclass
class Model:
    """All rows of all tenants, by table and primary key, and all documents that are searched."""

    rows: dict[str, dict[Key, UUID]] = field(default_factory=dict)
    """Whose each row is."""
    papers: dict[UUID, Paper] = field(default_factory=dict)

    def read(self, connection: psycopg.Connection[TupleRow]) -> None:
        """Take the rows as they are, past all walls."""
        self.rows = rows_of(connection)

    def seen(self, table: str, tenant_id: UUID | None, names: Set[str] | None) -> frozenset[Key]:
        """The rows that a transaction of the tenant sees.

        Args:
            table: its name.
            tenant_id: the transaction's; None: it has none.
            names: by which access lists admit it; None: they do not hold it back.
        """
        own = (key for key, owner in self.rows[table].items() if owner == tenant_id)
        if table != "documents":
            return frozenset(own)
        return frozenset(key for key in own if self._readable(key, names))

    def _readable(self, key: Key, names: Set[str] | None) -> bool:
        paper = self.papers.get(UUID(key[KEYS["documents"].index("id")]))
        return paper is None or paper.admits(names)

    def searched(
        self, tenant_id: UUID, project_id: UUID, collections: Iterable[UUID], names: Set[str] | None
    ) -> list[Paper]:
        """The documents that a search in these collections may find."""
        within = set(collections)
        return [
            paper
            for paper in self.papers.values()
            if paper.tenant_id == tenant_id
            and paper.project_id == project_id
            and paper.collection_id in within
            and not paper.deleted
            and paper.admits(names)
        ]

    def nearest(self, papers: Iterable[Paper], vector: Sequence[float], limit: int) -> list[ChunkId]:
        """By cosine, of all there are, one after the other."""
        scored = [
            (-cosine(values, vector), ChunkId(paper.id, paper.generation, ordinal))
            for paper in papers
            for ordinal, values in enumerate(paper.vectors)
        ]
        return [id for _, id in sorted(scored, key=lambda one: one[0])[:limit]]

    def sharing(self, papers: Iterable[Paper], terms: Set[str]) -> set[ChunkId]:
        """Chunks with one of these words at least."""
        return {
            ChunkId(paper.id, paper.generation, ordinal)
            for paper in papers
            for ordinal, words in enumerate(paper.words)
            if not terms.isdisjoint(words)
        }


def rows_of(connection: psycopg.Connection[TupleRow]) -> dict[str, dict[Key, UUID]]:
    """Primary keys of every table as text, and whose each row is; on a connection that sees everything."""
    parts = [
        f"SELECT '{name}', tenant_id, ARRAY[{', '.join(f'{column}::text' for column in KEYS[name])}] FROM {name}"
        for name in TABLES
    ]
    found: dict[str, dict[Key, UUID]] = {name: {} for name in TABLES}
    for name, tenant_id, key in connection.execute(" UNION ALL ".join(parts).encode()):
        found[name][tuple(key)] = tenant_id
    return found


def templates_of(connection: psycopg.Connection[TupleRow]) -> dict[str, dict[UUID, dict[str, Any]]]:
    """One row of every table and tenant, as JSON."""
    found: dict[str, dict[UUID, dict[str, Any]]] = {}
    for name in TABLES:
        query = f"SELECT DISTINCT ON (tenant_id) tenant_id, to_jsonb(t) FROM {name} t ORDER BY tenant_id"
        found[name] = dict(connection.execute(query.encode()).fetchall())
    return found


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two vectors."""
    return math.sumprod(one, other) / math.sqrt(math.sumprod(one, one) * math.sumprod(other, other))
