"""Counters of failed guesses."""

from datetime import datetime

from sqlalchemy import text

from shared.adapters.postgres.engine import Session
from shared.domain.attempts import Lockout

# One statement counts and decides, so that of many guesses at once none goes uncounted. While the wait lasts nothing
# is counted: whoever keeps asking is not kept out for longer.
FRESH = "(CASE WHEN a.at < CAST(:now AS timestamptz) - CAST(:forget AS interval) THEN 0 ELSE a.failures END)"
BEGIN_ATTEMPT = text(f"""
INSERT INTO attempts AS a (key, failures, at) VALUES (:key, 1, :now)
ON CONFLICT (key) DO UPDATE SET
  failures = {FRESH} + 1,
  at = :now,
  blocked_until = CASE WHEN {FRESH} + 1 > :free THEN
    CAST(:now AS timestamptz)
      + least(CAST(:most AS interval), CAST(:first AS interval) * power(2, least({FRESH} - :free, 30)))
  END
WHERE a.blocked_until IS NULL OR a.blocked_until <= :now
RETURNING failures
""")
BLOCKED = text("SELECT extract(epoch FROM blocked_until - CAST(:now AS timestamptz)) FROM attempts WHERE key = :key")
FORGET_ATTEMPTS = text("""
DELETE FROM attempts WHERE key IN (
  SELECT key FROM attempts WHERE at < CAST(:now AS timestamptz) - interval '2 days' ORDER BY at LIMIT 20
  FOR UPDATE SKIP LOCKED
)
""")
CLEAR = text("DELETE FROM attempts WHERE key = :key")
EASE = text("UPDATE attempts SET failures = greatest(0, failures - 1) WHERE key = :key")


class PgAttempts:
    """Counters of failed guesses."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def begin(self, key: str, lockout: Lockout, now: datetime) -> float:
        """Count a guess as failed before it is looked at, so that many at once are all counted.

        Returns:
            0 when it may be looked at; else the seconds to wait, and nothing was counted.
        """
        await self._session.run(FORGET_ATTEMPTS, {"now": now})
        policy = {"free": lockout.free, "first": lockout.first, "most": lockout.most, "forget": lockout.forget}
        if await self._session.scalar(BEGIN_ATTEMPT, {"key": key, "now": now, **policy}) is not None:
            return 0.0
        return await self.wait(key, now)

    async def wait(self, key: str, now: datetime) -> float:
        """Seconds that the next guess has to wait; 0 when it has not."""
        return max(0.0, float(await self._session.scalar(BLOCKED, {"key": key, "now": now}) or 0.0))

    async def succeeded(self, key: str, *, clear: bool) -> None:
        """The guess was right: take it back, or forget all failures."""
        await self._session.run(CLEAR if clear else EASE, {"key": key})
