"""Token buckets that all workers share."""

from datetime import datetime

from sqlalchemy import text

from shared.adapters.postgres.engine import Session

# One statement decides, so no two workers can take the same tokens. What there is now is the level plus what flowed
# in since, capped; a moment in the future (after `drain`) lets nothing flow in until it comes, and is waited for.
AVAILABLE = (
    "least(:capacity, b.level + greatest(0, extract(epoch FROM CAST(:now AS timestamptz) - b.at)) * :per_second)"
)
SILENCE = "greatest(0, extract(epoch FROM b.at - CAST(:now AS timestamptz)))"
TAKE = text(f"""
INSERT INTO buckets AS b (key, level, at, wait) VALUES (:key, :capacity - :cost, :now, 0)
ON CONFLICT (key) DO UPDATE SET
  wait = CASE WHEN {AVAILABLE} >= :cost THEN 0 ELSE {SILENCE} + (:cost - {AVAILABLE}) / :per_second END,
  level = {AVAILABLE} - CASE WHEN {AVAILABLE} >= :cost THEN :cost ELSE 0 END,
  at = greatest(b.at, :now)
RETURNING wait
""")
DRAIN = text("""
INSERT INTO buckets AS b (key, level, at, wait) VALUES (:key, 0, :until, 0)
ON CONFLICT (key) DO UPDATE SET level = 0, at = greatest(b.at, :until)
""")


class PgLimits:
    """Token buckets by key."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(self, key: str, cost: float, *, capacity: float, per_second: float, now: datetime) -> float:
        """Take `cost` (at most `capacity`) from the bucket; returns 0 when it was there, else the seconds until it will
        be (and takes nothing).
        """
        parameters = {
            "key": key,
            "cost": float(min(cost, capacity)),
            "capacity": float(capacity),
            "per_second": float(per_second),
            "now": now,
        }
        return float(await self._session.scalar(TAKE, parameters))

    async def drain(self, key: str, until: datetime) -> None:
        """Nothing more until then: the provider said so."""
        await self._session.run(DRAIN, {"key": key, "until": until})
