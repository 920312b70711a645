"""Devices under work: what they raise meanwhile is recorded, listed and not told.

A hold moves no condition. Whoever tells people of alerts asks here, as for silences; that the end of an alert
is told to whoever was told of its beginning is theirs. What is worse than the work is about is never held
back. Must not know what the work is, nor who is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from alerts.transition import Severity
from devices.instants import to_datetime
from store.connection import Connection

# What has ended is kept for a while, so that whoever tells people sees that it ended.
_HOLD = """
WITH old AS (
    DELETE FROM alert_hold
    WHERE until_at < $3::timestamptz - interval '1 day' AND (device_id, holder) <> ($1, $2)
)

INSERT INTO alert_hold (device_id, holder, from_at, severity, until_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (device_id, holder) DO UPDATE SET
    from_at = excluded.from_at, until_at = excluded.until_at, severity = excluded.severity
"""


async def hold(
    connection: Connection, device: int, holder: str, severity: Severity, now: int, until: datetime
) -> None:
    """Hold alerts of a device back from now on, but for those that are worse than `severity`.

    Args:
        device: its number.
        holder: who holds them back, such as `work order 12`; saying it again begins anew.
        now: our time, microseconds since 1970-01-01Z.
        until: when it ends by itself, for whoever forgets to take it back.
    """
    await connection.execute(_HOLD, device, holder, to_datetime(now), severity, until)


_RELEASE = """
UPDATE alert_hold SET until_at = $2 WHERE holder = $1 AND (until_at IS NULL OR until_at > $2)
"""
# Whoever tells of alerts looks again: those that still fire are told now.
_NOTIFY = "SELECT pg_notify('nabd_alert', '')"


async def release(connection: Connection, holder: str, now: int) -> None:
    """Hold back no longer what a holder held; where there is nothing, nothing happens."""
    await connection.execute(_RELEASE, holder, to_datetime(now))
    await connection.execute(_NOTIFY)


_HELD = """
SELECT alert.id, min(held.holder) AS holder
FROM alert
INNER JOIN alert_hold AS held ON alert.device_id = held.device_id
WHERE alert.id = ANY($1::bigint []) AND alert.state = 'firing' AND held.from_at <= $2
    AND (held.until_at IS NULL OR held.until_at > $2)
    AND (
        held.severity IS NULL
        OR array_position($3::text [], alert.severity) <= array_position($3::text [], held.severity)
    )
GROUP BY alert.id
"""
_BY_RANK = [severity.value for severity in sorted(Severity, key=lambda severity: severity.rank)]


async def held(connection: Connection, alert_ids: Iterable[int], at: int) -> dict[int, str]:
    """Return by alert who holds it back; of open alerts only.

    Args:
        at: our time, microseconds since 1970-01-01Z.
    """
    rows = await connection.fetch(_HELD, list(alert_ids), to_datetime(at), _BY_RANK)
    return {row["id"]: row["holder"] for row in rows}
