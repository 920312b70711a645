"""How it goes with subscriptions, as whoever tells them says; one that was removed is left alone."""

from __future__ import annotations

from datetime import datetime

from store.connection import Connection

LONGEST_REASON = 500

_SENT = """
UPDATE ngsi_subscription SET
    times_sent = times_sent + 1, last_notified_at = $2, last_success_at = $2, failures = 0, retry_at = NULL,
    failure = '', follows_from = greatest(follows_from, $3)
WHERE id = $1
"""


async def mark_sent(connection: Connection, named: str, at: datetime, follows_from: datetime) -> None:
    """Note that a notification arrived, and from when on changes are still to be told."""
    await connection.execute(_SENT, named, at, follows_from)


_FAILED = """
UPDATE ngsi_subscription SET
    times_sent = times_sent + 1, times_failed = times_failed + 1, last_notified_at = $2,
    last_failure_at = $2, failures = failures + 1, retry_at = $3, failure = $4
WHERE id = $1
"""


async def mark_failed(
    connection: Connection, named: str, at: datetime, retry_at: datetime, reason: str
) -> None:
    """Note that a notification did not arrive, why, and when it is tried again."""
    await connection.execute(_FAILED, named, at, retry_at, reason[:LONGEST_REASON])


_FOLLOWED = "UPDATE ngsi_subscription SET follows_from = greatest(follows_from, $2) WHERE id = $1"


async def mark_followed(connection: Connection, named: str, follows_from: datetime) -> None:
    """Note from when on changes are still to be told, where there was nothing to tell."""
    await connection.execute(_FOLLOWED, named, follows_from)


_STOPPED = """
UPDATE ngsi_subscription SET
    stopped = $2, follows_from = CASE WHEN $2 = '' THEN greatest(follows_from, $3) ELSE follows_from END
WHERE id = $1 AND stopped <> $2
"""


async def mark_stopped(connection: Connection, named: str, reason: str, at: datetime) -> None:
    """Note why nothing is told; empty: what changes from an instant on is told again."""
    await connection.execute(_STOPPED, named, reason, at)


_STANDINGS = """
SELECT
    count(*) FILTER (WHERE is_active AND stopped = '' AND failures = 0) AS told,
    count(*) FILTER (WHERE is_active AND stopped = '' AND failures > 0) AS failing,
    count(*) FILTER (WHERE NOT is_active OR stopped <> '') AS paused
FROM ngsi_subscription
WHERE expires_at IS NULL OR expires_at > $1
"""


async def standings(connection: Connection, now: datetime) -> dict[str, int]:
    """Return how many subscriptions are told, how many fail, and how many are paused or stopped."""
    return dict(await connection.fetchrow(_STANDINGS, now) or {})
