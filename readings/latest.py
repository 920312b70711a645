"""The newest reading of each device, kept for screens and for finding silent devices.

Must not know how readings arrive: ingest calls with columns, at most once a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The newest reading of one device; the next one is expected `interval_s` after `received_at`.

    district: code of the one in which the device stands, None where it stands in none.
    """

    device: str
    kind: str
    municipality: str
    district: str | None
    observed_at: datetime
    received_at: datetime
    interval_s: float
    quality: int
    measurements: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestColumns:
    """Newest readings as columns of one length, each device at most once.

    Times are microseconds since 1970-01-01Z, intervals seconds; `measurements` leaves absent ones out. paced:
    whether the interval is only the kind's, to be multiplied by the device's own pace; all if empty. place:
    the bits of the quality that say that a position is none: a good one that is stored stays; 0 if empty.
    """

    device_id: Sequence[int]
    observed_at: Sequence[int]
    received_at: Sequence[int]
    interval_s: Sequence[float]
    quality: Sequence[int]
    measurements: Sequence[Mapping[str, Any]]
    paced: Sequence[bool] = ()
    place: Sequence[int] = ()


# Rows are locked in the order of device_id, so that two writers cannot block each other.
_FLUSH = """
WITH flushed AS (
    INSERT INTO latest AS kept (device_id, observed_at, received_at, interval_s, quality, measurements)
    SELECT
        r.device_id,
        'epoch'::timestamptz + r.observed_at * '1 microsecond'::interval,
        'epoch'::timestamptz + r.received_at * '1 microsecond'::interval,
        r.interval_s * CASE WHEN r.paced IS FALSE THEN 1 ELSE coalesce(device_pace.pace, 1) END,
        r.quality, r.measurements
    FROM
        unnest(
            $1::integer [], $2::bigint [], $3::bigint [], $4::float8 [], $5::bigint [], $6::jsonb [],
            $7::boolean []
        ) AS r (device_id, observed_at, received_at, interval_s, quality, measurements, paced)
    LEFT JOIN device_pace ON r.device_id = device_pace.device_id
    ORDER BY r.device_id
    ON CONFLICT (device_id) DO UPDATE SET
        observed_at = greatest(kept.observed_at, excluded.observed_at),
        received_at = greatest(kept.received_at, excluded.received_at),
        interval_s = CASE
            WHEN excluded.observed_at >= kept.observed_at THEN excluded.interval_s ELSE kept.interval_s
        END,
        quality = CASE
            WHEN excluded.observed_at >= kept.observed_at THEN excluded.quality ELSE kept.quality
        END,
        measurements = CASE
            WHEN excluded.observed_at >= kept.observed_at THEN excluded.measurements ELSE kept.measurements
        END
)
SELECT pg_notify('nabd_latest', '')
"""


async def flush(connection: Connection, rows: LatestColumns) -> None:
    """Store what is newer than what is stored, and NOTIFY `nabd_latest` with the commit.

    Measurements are those of the newest `observed_at`; the greatest `received_at` is kept whichever reading
    it came with, because a backlog proves that the device is alive.
    """
    if not rows.device_id:
        return
    if any(rows.place):
        rows = await _placed(connection, rows)
    await connection.execute(
        _FLUSH,
        rows.device_id,
        rows.observed_at,
        rows.received_at,
        rows.interval_s,
        rows.quality,
        rows.measurements,
        rows.paced,
    )


_POSITIONS = """
SELECT
    kept.device_id, kept.measurements -> 'lat' AS lat, kept.measurements -> 'lon' AS lon
FROM unnest($1::integer [], $2::bigint []) AS r (device_id, place)
INNER JOIN latest AS kept ON r.device_id = kept.device_id
WHERE kept.quality & r.place = 0 AND kept.measurements ?& ARRAY['lat', 'lon']
"""


async def _placed(connection: Connection, rows: LatestColumns) -> LatestColumns:
    """Return the rows with the good positions that are stored of devices whose newest one is none."""
    nowhere = {
        device: row for row, (device, bits) in enumerate(zip(rows.device_id, rows.place, strict=True)) if bits
    }
    bits = [rows.place[row] for row in nowhere.values()]
    quality, measurements = list(rows.quality), list(rows.measurements)
    for kept in await connection.fetch(_POSITIONS, list(nowhere), bits):
        row = nowhere[kept["device_id"]]
        quality[row] &= ~rows.place[row]
        measurements[row] = {**measurements[row], "lat": kept["lat"], "lon": kept["lon"]}
    return replace(rows, quality=quality, measurements=measurements)


_PAGE = """
SELECT
    d.name AS device, d.kind, m.name AS municipality, g.name AS district,
    l.observed_at, l.received_at, l.interval_s, l.quality, l.measurements
FROM latest AS l
INNER JOIN device AS d ON l.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
WHERE
    d.retired_at IS NULL
    AND ($1::text IS NULL OR m.name = $1)
    AND ($2::text IS NULL OR d.kind = $2)
    AND ($3::text IS NULL OR d.name > $3)
    AND ($5::text IS NULL OR g.name = $5)
    AND ($6::text [] IS NULL OR m.name = ANY($6))
ORDER BY d.name
LIMIT $4
"""


async def list_latest(
    connection: Connection,
    *,
    municipality: str | None = None,
    kind: str | None = None,
    district: str | None = None,
    after: str | None = None,
    limit: int = 100,
    within: Sequence[str] | None = None,
) -> list[Latest]:
    """Return a page of newest readings by device name, retired devices left out.

    Args:
        connection: the database.
        municipality: only this municipality's.
        kind: only this kind.
        district: only devices in districts of this code.
        after: the last device name of the page before.
        limit: at most so many.
        within: only those of these municipalities; None: of all.
    """
    rows = await connection.fetch(_PAGE, municipality, kind, after, limit, district, within)
    return [Latest(**row) for row in rows]


_ONE = """
SELECT
    d.name AS device, d.kind, m.name AS municipality, g.name AS district,
    l.observed_at, l.received_at, l.interval_s, l.quality, l.measurements
FROM latest AS l
INNER JOIN device AS d ON l.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
WHERE d.name = $1
"""


async def get_latest(connection: Connection, name: str) -> Latest | None:
    """Return the newest reading of a device, or None while it has sent none."""
    row = await connection.fetchrow(_ONE, name)
    return None if row is None else Latest(**row)
