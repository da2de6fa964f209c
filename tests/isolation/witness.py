"""What watches whether anything changed: every row of the database, and all that the functions send anywhere."""

import re
from collections.abc import Mapping
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from shared.adapters.postgres.catalogue import metadata
from tests.functions.world import World

UNCOUNTED = {"rates", "attempts"}
"""Tables that count who asks how often: a refused request is counted, and should be."""
TABLES = sorted({table.name for table in metadata.sorted_tables} - UNCOUNTED)
OF_TENANTS = sorted(name for name in TABLES if "tenant_id" in metadata.tables[name].c)
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ROWS = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t"
OF_ONE = " UNION ALL ".join(f"({ROWS.format(name)} WHERE tenant_id = wanted)" for name in OF_TENANTS)
DIGEST = f"""
CREATE FUNCTION witness_digest(wanted uuid) RETURNS text LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = public, pg_temp SET lambent.readers = '*'
AS $$ SELECT md5(string_agg(d.md5, '|')) FROM ({OF_ONE}) d $$
"""


class Witness:
    """Looks at the database past all walls, as a superuser."""

    def __init__(self, url: str, world: World) -> None:
        """Args:
        url: of a superuser.
        world: what sends queue messages, mails and requests, and keeps objects.
        """
        self._connection: psycopg.Connection[TupleRow] = psycopg.connect(url, autocommit=True)
        self._connection.execute(DIGEST.encode())
        self._connection.execute("GRANT EXECUTE ON FUNCTION witness_digest TO lambent_app")
        self._world = world
        self.written = -1
        self.rows: Mapping[str, str] = {}
        self.sent = self._sendings()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def remember(self) -> None:
        """Take the present state as what must not change."""
        self.rows, self.written, self.sent = self._digests(), self._transactions(), self._sendings()

    def excuse(self) -> None:
        """What was written since was rolled back, and what was sent was forgotten."""
        self.written, self.sent = self._transactions(), self._sendings()

    def changes(self) -> list[str]:
        """Tables that changed since `remember`, and what was sent.

        While no transaction of the whole server has written anything there is nothing to look for.
        """
        found = []
        if (sent := self._sendings()) != self.sent:
            found.append(f"something was sent: {self.sent} -> {sent}")
            self.sent = sent
        if (written := self._transactions()) != self.written:
            rows = self._digests()
            found += [f"{table} changed" for table in TABLES if rows[table] != self.rows[table]]
            self.rows, self.written = rows, written
        return found

    def ids(self, tenant_id: UUID, project_id: UUID | None = None) -> frozenset[str]:
        """Every id in the tenant's rows, or in those of one project of it."""
        found: set[str] = set()
        for name in OF_TENANTS:
            columns = metadata.tables[name].c
            if project_id is not None and "project_id" not in columns:
                continue
            query = sql.SQL("SELECT t::text FROM {} t WHERE tenant_id = %s").format(sql.Identifier(name))
            values = [tenant_id]
            if project_id is not None:
                query, values = query + sql.SQL(" AND project_id = %s"), [tenant_id, project_id]
            for row in self._connection.execute(query, values):
                found.update(ID.findall(str(row[0])))
        return frozenset(found)

    def execute(self, statement: str) -> None:
        """Change the schema, for planted faults."""
        self._connection.execute(statement.encode())

    def _transactions(self) -> int:
        row = self._connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
        assert row is not None
        return int(row[0])

    def _digests(self) -> dict[str, str]:
        every = " UNION ALL ".join(f"(SELECT '{name}', d.md5 FROM ({ROWS.format(name)}) d)" for name in TABLES)
        return {str(name): str(digest) for name, digest in self._connection.execute(every.encode())}

    def _sendings(self) -> tuple[int, ...]:
        world = self._world
        queued = sum(len(lane.live) + len(lane.dead) for lane in world.queue._lanes.values())
        objects = sum(len(versions) for kept in world.blobs._objects.values() for versions in kept.values())
        return queued, len(world.mailer.sent), objects, len(world.blobs.notifications), len(world.egress.posts)
