"""How often devices really report: gaps between the stored readings of each.

Must not know rules: which pace is expected of a device is read as it was learned (table `device_pace`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.kinds.kind import Kind
from readings.tables import table_name
from store.connection import Connection

GAPS = 32
"""Of how many gaps the median and the 95th percentile are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRhythm:
    """How often one device reports, seconds.

    interval_s: entered for it, None without. median_s, p95_s: of its last `gaps` gaps, None without any.
    pace: learned, times its kind's interval. learned_s: what to enter, None where it keeps its kind's.
    """

    device: str
    kind: str
    municipality: str
    district: str | None
    interval_s: float | None
    gaps: int
    median_s: float | None
    p95_s: float | None
    pace: float
    learned_s: float | None


# Names of kinds are checked by their declaration; they cannot be parameters. $6: gaps, and one more reading.
_RHYTHM = """
SELECT device.name AS device, municipality.name AS municipality,
    ground_feature.name AS district,
    CASE WHEN jsonb_typeof(device.attributes -> 'interval_s') = 'number'
        THEN (device.attributes ->> 'interval_s')::float8 END AS interval_s,
    coalesce(device_pace.pace, 1) AS pace, told.gaps, told.median_s, told.p95_s
FROM device
INNER JOIN municipality ON device.municipality_id = municipality.id
LEFT JOIN ground_feature ON device.district_id = ground_feature.id
LEFT JOIN device_pace ON device.id = device_pace.device_id
CROSS JOIN LATERAL (
    SELECT count(gap.s) AS gaps,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY gap.s) AS median_s,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY gap.s) AS p95_s
    FROM (
        SELECT extract(
            epoch FROM newest.observed_at - lag(newest.observed_at) OVER (ORDER BY newest.observed_at)
        )::float8 AS s
        FROM (
            SELECT reading.observed_at FROM {table} AS reading
            WHERE reading.device_id = device.id
            ORDER BY reading.observed_at DESC LIMIT $6
        ) AS newest
    ) AS gap
) AS told
WHERE device.kind = $1 AND device.retired_at IS NULL
    AND ($2::text IS NULL OR municipality.name = $2)
    AND ($3::text IS NULL OR device.name = $3)
    AND ($4::text IS NULL OR device.name > $4)
    AND ($7::text IS NULL OR ground_feature.name = $7)
    AND told.gaps > 0
    AND ($8::text [] IS NULL OR municipality.name = ANY($8))
ORDER BY device.name
LIMIT $5
"""


async def list_rhythms(
    connection: Connection,
    kinds: Mapping[str, Kind],
    *,
    kind: str | None = None,
    municipality: str | None = None,
    district: str | None = None,
    device: str | None = None,
    after: str | None = None,
    limit: int = 100,
    within: Sequence[str] | None = None,
) -> list[DeviceRhythm]:
    """Return how often devices report, by name; those without two readings are not in it.

    `within`: only those of these municipalities.
    """
    found = []
    for name in kinds if kind is None else [kind]:
        if name in kinds:
            query = _RHYTHM.format(table=table_name(name))
            rows = await connection.fetch(
                query, name, municipality, device, after, limit, GAPS + 1, district, within
            )
            found += [_rhythm(kinds[name], dict(row)) for row in rows]
    return sorted(found, key=lambda one: one.device)[:limit]


def _rhythm(kind: Kind, row: Mapping[str, Any]) -> DeviceRhythm:
    return DeviceRhythm(kind=kind.name, learned_s=_learned_s(row), **row)


def _learned_s(row: Mapping[str, Any]) -> float | None:
    """Return the median gap, or five sixths of the 95th percentile where that is longer."""
    if row["interval_s"] is not None or row["pace"] == 1.0 or row["median_s"] is None:
        return None
    return float(round(max(row["median_s"], row["p95_s"] / 1.2)))
