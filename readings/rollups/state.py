"""Which hours of a device can be believed: made, and no new reading has touched them since. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from devices.instants import to_datetime
from devices.kinds.kind import Kind
from readings.kept.tables import days_of, hours_of
from readings.tables import table_name
from store.connection import Connection
from store.tables import Resolution

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupState:
    """How far a device's hours are.

    made_from: from where on they are made, None where none are. touched: first and last of readings that they
    do not hold yet. days_in: the time zone of all its days, None where that is not one; zone: of its
    municipality now. first: when what is still kept begins, by table; None where there is nothing.
    """

    made_from: datetime | None
    touched: tuple[tuple[datetime, datetime], ...] = ()
    days_in: str | None = None
    zone: str | None = None
    first: Mapping[Resolution, datetime | None] = field(default_factory=dict)

    def knows(self, since: datetime, until: datetime) -> bool:
        """Tell whether hours say all of [since, until); never of parts of hours."""
        if self.made_from is None or since < self.made_from or _is_inside(since) or _is_inside(until):
            return False
        return not any(first < until and last >= since for first, last in self.touched)

    def keeps(self, resolution: Resolution, since: datetime) -> bool:
        """Tell whether a table reaches back to an instant, so that nothing after it has expired."""
        first = self.first.get(resolution)
        return first is not None and first <= since

    def best_before_hours(self) -> Resolution:
        """Return which of hours and readings reaches further back."""
        hours, readings = self.first.get(Resolution.HOUR), self.first.get(Resolution.READING)
        if readings is None or (hours is not None and hours + HOUR <= readings):
            return Resolution.HOUR
        return Resolution.READING


def _is_inside(instant: datetime) -> bool:
    return bool(instant.minute or instant.second or instant.microsecond)


_MADE = """
SELECT
    CASE WHEN b.before <= b.oldest THEN 'epoch'::timestamptz ELSE b.before END AS made_from,
    CASE
        WHEN z.device_id IS NULL AND z.time_zone = m.time_zone AND d.moved_at IS NULL THEN m.time_zone
    END AS days_in,
    m.time_zone AS zone
FROM rollup_backfill AS b
INNER JOIN device AS d ON d.id = $2
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN rollup_zone AS z ON m.id = z.municipality_id
WHERE b.kind = $1
"""

_TOUCHED = """
SELECT t.first_us, t.last_us
FROM rollup_mark AS m
CROSS JOIN LATERAL unnest(m.device_ids, m.first_us, m.last_us) AS t (device_id, first_us, last_us)
WHERE m.kind = $1 AND m.device_ids @> ARRAY[$2::integer] AND t.device_id = $2
"""


async def state_of(connection: Connection, kind: Kind, device_id: int, since: datetime) -> RollupState:
    """Return how far the hours of a device are, asked for what lies after `since`."""
    made = await connection.fetchrow(_MADE, kind.name, device_id)
    if made is None:
        return RollupState(made_from=None)
    rows = await connection.fetch(_TOUCHED, kind.name, device_id)
    return RollupState(
        made_from=made["made_from"],
        touched=tuple((to_datetime(row["first_us"]), to_datetime(row["last_us"])) for row in rows),
        days_in=made["days_in"],
        zone=made["zone"],
        first=await _first(connection, kind, device_id, since),
    )


async def _first(
    connection: Connection, kind: Kind, device_id: int, since: datetime
) -> dict[Resolution, datetime | None]:
    """Return when what is kept begins; of readings only where hours do not reach back to `since`."""
    hours = await connection.fetchval(_first_sql(hours_of(kind).name, "at"), device_id)
    days = await connection.fetchval(_first_sql(days_of(kind).name, "at"), device_id)
    found = {Resolution.HOUR: hours, Resolution.DAY: days}
    if hours is None or since < hours:
        readings = await connection.fetchval(_first_sql(table_name(kind.name), "observed_at"), device_id)
        found[Resolution.READING] = readings
    return found


def _first_sql(table: str, instant: str) -> str:
    return f"SELECT {instant} FROM {table} WHERE device_id = $1 ORDER BY {instant} LIMIT 1"  # noqa: S608
