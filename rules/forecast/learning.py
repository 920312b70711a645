"""Learns how devices fill, and stores when they will be full: one row of table `forecast` for each.

Runs in the sweep process, before rules are judged. Each device's newest value is taken in twice an hour, from
`latest` alone; a device nothing is known about first learns from its stored readings, so many at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np
from numpy.typing import NDArray

from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from readings.tables import table_name
from rules.forecast import prediction, profile
from rules.forecast.prediction import FillForecast
from store.connection import Connection

AT_A_TIME = 5_000
NEW_AT_A_TIME = 500
HISTORY_DAYS = 7
FARTHEST_H = 24 * 60.0
"""What lies farther away than that is nobody's plan."""

# $7: devices with a row in forecast, or those without. Whoever was looked at longest ago comes first.
DUE = """
SELECT latest.device_id, latest.observed_at, (latest.measurements ->> $2)::float8 AS value, forecast.state
FROM latest
INNER JOIN device ON latest.device_id = device.id
LEFT JOIN forecast ON forecast.rule = $4 AND latest.device_id = forecast.device_id
WHERE device.kind = $1 AND device.retired_at IS NULL AND latest.received_at >= device.installed_at
    AND latest.measurements ? $2 AND (latest.quality >> $3::int) & 1 = 0
    AND (forecast.device_id IS NOT NULL) = $7::boolean
    AND (
        forecast.device_id IS NULL
        OR latest.observed_at >= forecast.observed_at + $5::int * interval '1 second'
    )
ORDER BY forecast.observed_at NULLS FIRST, latest.device_id
LIMIT $6
"""

# Names of kinds and measurements are checked by their declaration; they cannot be parameters.
HISTORY = """
SELECT DISTINCT ON (device_id, date_bin($3::int * interval '1 second', observed_at, 'epoch'))
    device_id, observed_at, {measurement} AS value
FROM {table}
WHERE device_id = ANY($1::int []) AND observed_at > $2
    AND received_at >= (SELECT device.installed_at FROM device WHERE device.id = device_id)
    AND {measurement} IS NOT NULL AND (quality >> {bit}) & 1 = 0
ORDER BY device_id, date_bin($3::int * interval '1 second', observed_at, 'epoch'), observed_at
"""

KEEP = """
INSERT INTO forecast
    (rule, device_id, observed_at, emptied_at, level, rate_per_h, p50_at, p80_at, samples, state)
SELECT $1, * FROM unnest($2::int [], $3::timestamptz [], $4::timestamptz [], $5::float8 [], $6::float8 [],
    $7::timestamptz [], $8::timestamptz [], $9::int [], $10::bytea [])
ON CONFLICT (rule, device_id) DO UPDATE SET observed_at = excluded.observed_at,
    emptied_at = excluded.emptied_at, level = excluded.level, rate_per_h = excluded.rate_per_h,
    p50_at = excluded.p50_at, p80_at = excluded.p80_at, samples = excluded.samples, state = excluded.state
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillTarget:
    """What is forecast of the devices of a kind: when a measurement will reach a level.

    name: under which it is stored, column `rule`. emptied_by: a fall that is an emptying, in the unit.
    """

    name: str
    kind: Kind
    measurement: str
    reaches: float
    emptied_by: float


async def renew_forecasts(
    connection: Connection, target: FillTarget, maintained: Mapping[int, int], now: int
) -> int:
    """Take in newest values and store the forecasts they lead to; return of how many devices.

    Args:
        maintained: until when devices are worked on, by id, microseconds: their values teach nothing.
        now: microseconds since 1970-01-01Z.
    """
    known = await _renew(connection, target, maintained, now, new=False)
    return known + await _renew(connection, target, maintained, now, new=True)


async def _renew(
    connection: Connection, target: FillTarget, maintained: Mapping[int, int], now: int, *, new: bool
) -> int:
    bit = target.kind.measurement(target.measurement).bit
    limit = NEW_AT_A_TIME if new else AT_A_TIME
    named = (target.kind.name, target.measurement, bit, target.name)
    rows = await connection.fetch(DUE, *named, profile.SPACING_S, limit, not new)
    if not rows:
        return 0
    profiles = stored_profiles([r["state"] for r in rows])
    if new:
        query = HISTORY.format(table=table_name(target.kind.name), measurement=target.measurement, bit=bit)
        await _learn_history(connection, query, target, rows, profiles, now)
    at = _seconds(rows)
    value = np.array([r["value"] for r in rows], dtype=np.float64)
    # A device that is worked on teaches nothing; it is put off like any other.
    resting = np.array([now < maintained.get(r["device_id"], now) for r in rows], dtype=bool)
    profile.fold(profiles, at, np.where(resting, np.nan, value), target.emptied_by, target.reaches)
    await _keep(connection, target, rows, profiles, prediction.predict(profiles, at, target.reaches))
    return len(rows)


def stored_profiles(states: Sequence[bytes | None]) -> NDArray[np.void]:
    """Return what was remembered, (n,) of profile.STATE; a state of another layout is as good as none."""
    blank = profile.fresh(1).tobytes()
    kept = [s if s is not None and len(s) == len(blank) else blank for s in states]
    return np.frombuffer(b"".join(kept), dtype=profile.STATE).copy()


def _seconds(rows: Sequence[asyncpg.Record]) -> NDArray[np.int64]:
    return np.array([to_microseconds(r["observed_at"]) // 1_000_000 for r in rows], dtype=np.int64)


async def _learn_history(
    connection: Connection,
    query: str,
    target: FillTarget,
    rows: Sequence[asyncpg.Record],
    profiles: NDArray[np.void],
    now: int,
) -> None:
    """Take in the stored readings of devices nothing is known about, one value per device and step."""
    place = {r["device_id"]: i for i, r in enumerate(rows)}
    since = to_datetime(now - HISTORY_DAYS * 86_400_000_000)
    stored = await connection.fetch(query, list(place), since, profile.SPACING_S)
    device = np.array([place[r["device_id"]] for r in stored], dtype=np.int64)
    at = _seconds(stored)
    value = np.array([r["value"] for r in stored], dtype=np.float64)
    size = np.bincount(device, minlength=len(rows)) if len(device) else np.zeros(1, dtype=np.int64)
    step = np.arange(len(device)) - np.repeat(np.cumsum(size) - size, size) if len(device) else device
    newest = _seconds(rows)
    # Rows come ordered by device id, places by the queue: order by place, keeping time.
    order = np.argsort(device, kind="stable")
    device, at, value = device[order], at[order], value[order]
    for number in range(int(size.max())):
        now_in = step == number
        instant, seen = np.zeros(len(rows), dtype=np.int64), np.full(len(rows), np.nan)
        instant[device[now_in]], seen[device[now_in]] = at[now_in], value[now_in]
        earlier = np.where(instant < newest, seen, np.nan)
        profile.fold(profiles, instant, earlier, target.emptied_by, target.reaches)


async def _keep(
    connection: Connection,
    target: FillTarget,
    rows: Sequence[asyncpg.Record],
    profiles: NDArray[np.void],
    found: FillForecast,
) -> None:
    await connection.execute(
        KEEP,
        target.name,
        [r["device_id"] for r in rows],
        [r["observed_at"] for r in rows],
        [to_datetime(int(s) * 1_000_000) if s else None for s in profiles["emptied_at"]],
        [_number(v) for v in found.level],
        [_number(v) for v in found.rate_per_h],
        [_after(r, h) for r, h in zip(rows, found.hours_p50, strict=True)],
        [_after(r, h) for r, h in zip(rows, found.hours_p80, strict=True)],
        [int(n) for n in found.samples],
        [one.tobytes() for one in profiles],
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _after(row: asyncpg.Record, hours: float) -> object:
    if not hours <= FARTHEST_H:
        return None
    return to_datetime(to_microseconds(row["observed_at"]) + round(float(hours) * 3600e6))
