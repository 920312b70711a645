"""Which hours of a device can be believed: made, and no new reading has touched them since. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from devices.instants import to_datetime
from devices.kinds.kind import Kind
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupState:
    """How far a device's hours are.

    made_from: from where on they are made, None where none are. touched: first and last of readings that they
    do not hold yet. days_in: the time zone of all its days, None where that is not one.
    """

    made_from: datetime | None
    touched: tuple[tuple[datetime, datetime], ...]
    days_in: str | None

    def knows(self, since: datetime, until: datetime) -> bool:
        """Tell whether hours say all of [since, until); never of parts of hours."""
        if self.made_from is None or since < self.made_from or _is_inside(since) or _is_inside(until):
            return False
        return not any(first < until and last >= since for first, last in self.touched)


def _is_inside(instant: datetime) -> bool:
    return bool(instant.minute or instant.second or instant.microsecond)


_MADE = """
SELECT
    CASE WHEN b.before <= b.oldest THEN 'epoch'::timestamptz ELSE b.before END AS made_from,
    CASE
        WHEN z.device_id IS NULL AND z.time_zone = m.time_zone AND d.moved_at IS NULL THEN m.time_zone
    END AS days_in
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


async def state_of(connection: Connection, kind: Kind, device_id: int) -> RollupState:
    """Return how far the hours of a device are."""
    made = await connection.fetchrow(_MADE, kind.name, device_id)
    if made is None:
        return RollupState(made_from=None, touched=(), days_in=None)
    rows = await connection.fetch(_TOUCHED, kind.name, device_id)
    return RollupState(
        made_from=made["made_from"],
        touched=tuple((to_datetime(row["first_us"]), to_datetime(row["last_us"])) for row in rows),
        days_in=made["days_in"],
    )
