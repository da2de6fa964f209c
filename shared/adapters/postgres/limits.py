"""Token buckets that all workers share."""

from datetime import datetime

from sqlalchemy import text

from shared.adapters.postgres.engine import Session

# One statement decides, so no two workers are promised the same tokens. What there is now is the level plus what
# flowed in since, capped, and owed when negative; a moment in the future (after `drain`, or of a clock that runs ahead)
# lets nothing flow in until it comes, and is waited for.
AVAILABLE = (
    "least(:capacity, b.level + greatest(0, extract(epoch FROM CAST(:now AS timestamptz) - b.at)) * :per_second)"
)
WAIT = (
    "greatest(0, extract(epoch FROM b.at - CAST(:now AS timestamptz)))"
    f" + greatest(0, :cost - {AVAILABLE}) / :per_second"
)
RESERVE = text(f"""
INSERT INTO buckets AS b (key, level, at, wait) VALUES (
  :key, :capacity - CASE WHEN greatest(0, :cost - :capacity) / :per_second > :within THEN 0 ELSE :cost END, :now,
  greatest(0, :cost - :capacity) / :per_second
)
ON CONFLICT (key) DO UPDATE SET
  wait = {WAIT},
  level = {AVAILABLE} - CASE WHEN {WAIT} > :within THEN 0 ELSE :cost END,
  at = greatest(b.at, :now)
RETURNING wait
""")
DRAIN = text("""
INSERT INTO buckets AS b (key, level, at, wait, quiet_until) VALUES (:key, 0, :until, 0, :until)
ON CONFLICT (key) DO UPDATE SET
  level = least(0, b.level + greatest(0, extract(epoch FROM CAST(:until AS timestamptz) - b.at)) * :per_second),
  at = greatest(b.at, :until),
  quiet_until = greatest(b.quiet_until, :until)
""")
SILENCE = text("""
SELECT greatest(0, extract(epoch FROM quiet_until - CAST(:now AS timestamptz))) FROM buckets WHERE key = :key
""")


class PgLimits:
    """Token buckets by key."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def reserve(
        self, key: str, cost: float, *, capacity: float, per_second: float, now: datetime, within: float
    ) -> float:
        """Set `cost` aside; returns the seconds until it may be spent, 0 for at once.

        More than `within` means that nothing was set aside: ask again later.
        """
        parameters = {
            "key": key,
            "cost": float(cost),
            "capacity": float(capacity),
            "per_second": float(per_second),
            "now": now,
            "within": float(within),
        }
        return float(await self._session.scalar(RESERVE, parameters))

    async def drain(self, key: str, until: datetime, *, per_second: float) -> None:
        """Nothing more until then: the provider said so.

        What was promised for a moment before then is void; what was promised for later still holds.
        """
        await self._session.run(DRAIN, {"key": key, "until": until, "per_second": float(per_second)})

    async def silence(self, key: str, now: datetime) -> float:
        """Seconds until the silence that `drain` began is over, 0 when there is none."""
        row = await self._session.first(SILENCE, {"key": key, "now": now})
        return 0.0 if row is None or row[0] is None else float(row[0])
