"""Forecast: when what fills and is emptied will be full, told before it is.

Each device is looked at twice an hour from `latest` alone; what is remembered of it is one row of table
forecast. A device nothing is known about first learns from its stored readings, so many at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
import numpy as np
from numpy.typing import NDArray

from alerts.transition import Severity
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from readings.tables import table_name
from rules.definition.families import Forecast
from rules.forecast import prediction, profile
from rules.forecast.prediction import FillForecast
from rules.forecast.profile import ProfileState
from rules.language.program import Rule
from rules.sweeps.incidents import Ending, Moment, Onset, begin, end
from store.connection import Connection

AT_A_TIME = 5_000
NEW_AT_A_TIME = 500
HISTORY_DAYS = 7
FARTHEST_H = 24 * 60.0
"""What lies farther away than that is nobody's plan."""

# $7: devices with a row in forecast, or those without. Whoever was looked at longest ago comes first.
DUE = """
SELECT latest.device_id, latest.observed_at, latest.received_at,
    (latest.measurements ->> $2)::float8 AS value, forecast.state,
    coalesce(nullif(device.title, ''), device.name) AS title,
    municipality.name AS municipality,
    alert.rule_version AS open_version, alert.severity AS open_severity
FROM latest
INNER JOIN device ON latest.device_id = device.id
INNER JOIN municipality ON device.municipality_id = municipality.id
LEFT JOIN forecast ON forecast.rule = $4 AND latest.device_id = forecast.device_id
LEFT JOIN alert ON alert.rule = $4 AND latest.device_id = alert.device_id AND alert.state = 'firing'
WHERE device.kind = $1 AND device.retired_at IS NULL
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


async def sweep(connection: Connection, rule: Rule, moment: Moment, kinds: Mapping[str, Kind]) -> int:
    """Look at devices that are due, open and resolve alerts; return how many transitions that made."""
    assert rule.definition.kind is not None
    kind = kinds[rule.definition.kind]
    known = await _look(connection, rule, kind, moment, new=False)
    return known + await _look(connection, rule, kind, moment, new=True)


async def _look(connection: Connection, rule: Rule, kind: Kind, moment: Moment, *, new: bool) -> int:
    family = rule.definition.sweep
    assert isinstance(family, Forecast)
    bit = kind.measurement(family.measurement).bit
    limit = NEW_AT_A_TIME if new else AT_A_TIME
    spacing = profile.SPACING_S
    rows = await connection.fetch(DUE, kind.name, family.measurement, bit, rule.id, spacing, limit, not new)
    if not rows:
        return 0
    state = _states(rows)
    if new:
        query = HISTORY.format(table=table_name(kind.name), measurement=family.measurement, bit=bit)
        await _learn(connection, query, family, rows, state, moment)
    at = _seconds(rows)
    value = np.array([r["value"] for r in rows], dtype=np.float64)
    # What is read while somebody works on a device teaches nothing; it is put off like any other.
    rests = np.array([moment.rests(r["device_id"]) for r in rows], dtype=bool)
    profile.fold(state, at, np.where(rests, np.nan, value), family.emptied_by, family.reaches)
    found = prediction.predict(state, at, family.reaches)
    # Together: a state that is kept without its alert would never open it.
    async with connection.transaction():
        await _keep(connection, rule, rows, state, found)
        made = await end(connection, _endings(rule, family, rows, found, ~rests), moment.now)
        findings = _findings(family, rows, state, found, ~rests)
        return made + await begin(connection, rule, findings, moment.now)


def _states(rows: Sequence[asyncpg.Record]) -> ProfileState:
    """Return what was remembered; a row of another layout is as good as none."""
    blank = profile.fresh(1).tobytes()
    kept = [s if (s := r["state"]) is not None and len(s) == len(blank) else blank for r in rows]
    return np.frombuffer(b"".join(kept), dtype=profile.STATE).copy()


def _seconds(rows: Sequence[asyncpg.Record]) -> NDArray[np.int64]:
    return np.array([to_microseconds(r["observed_at"]) // 1_000_000 for r in rows], dtype=np.int64)


async def _learn(
    connection: Connection,
    query: str,
    family: Forecast,
    rows: Sequence[asyncpg.Record],
    state: ProfileState,
    moment: Moment,
) -> None:
    """Take in the stored readings of devices nothing is known about, one value per device and step."""
    place = {r["device_id"]: i for i, r in enumerate(rows)}
    since = to_datetime(moment.now - HISTORY_DAYS * 86_400_000_000)
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
        now = step == number
        instant, seen = np.zeros(len(rows), dtype=np.int64), np.full(len(rows), np.nan)
        instant[device[now]], seen[device[now]] = at[now], value[now]
        profile.fold(
            state, instant, np.where(instant < newest, seen, np.nan), family.emptied_by, family.reaches
        )


async def _keep(
    connection: Connection,
    rule: Rule,
    rows: Sequence[asyncpg.Record],
    state: ProfileState,
    found: FillForecast,
) -> None:
    await connection.execute(
        KEEP,
        rule.id,
        [r["device_id"] for r in rows],
        [r["observed_at"] for r in rows],
        [to_datetime(int(s) * 1_000_000) if s else None for s in state["emptied_at"]],
        [_number(v) for v in found.level],
        [_number(v) for v in found.rate_per_h],
        [_after(r, h) for r, h in zip(rows, found.hours_p50, strict=True)],
        [_after(r, h) for r, h in zip(rows, found.hours_p80, strict=True)],
        [int(n) for n in found.samples],
        [one.tobytes() for one in state],
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _after(row: asyncpg.Record, hours: float) -> object:
    if not hours <= FARTHEST_H:
        return None
    return to_datetime(to_microseconds(row["observed_at"]) + round(float(hours) * 3600e6))


def _endings(
    rule: Rule,
    family: Forecast,
    rows: Sequence[asyncpg.Record],
    found: FillForecast,
    judged: NDArray[np.bool_],
) -> list[Ending]:
    far = prediction.is_far(found, family.clear_us / 1e6) & judged
    return [
        Ending(
            device_id=row["device_id"],
            rule=rule.id,
            version=row["open_version"],
            severity=Severity(row["open_severity"]),
            observed_at=to_microseconds(row["observed_at"]),
            received_at=to_microseconds(row["received_at"]),
            condition=f"not full within {family.clear_us / 3600e6:g} h",
        )
        for row, is_far in zip(rows, far, strict=True)
        if is_far and row["open_version"] is not None
    ]


def _findings(
    family: Forecast,
    rows: Sequence[asyncpg.Record],
    state: ProfileState,
    found: FillForecast,
    judged: NDArray[np.bool_],
) -> list[Onset]:
    soon = prediction.is_soon(found, family.reaches, family.within_us / 1e6) & judged
    return [
        _finding(family, rows[i], state[i], found, i)
        for i in np.flatnonzero(soon).tolist()
        if rows[i]["open_version"] is None
    ]


def _finding(family: Forecast, row: asyncpg.Record, state: np.void, found: FillForecast, place: int) -> Onset:
    p80 = _number(found.hours_p80[place])
    emptied_at = int(state["emptied_at"])
    within_h = family.within_us / 3600e6
    return Onset(
        device_id=row["device_id"],
        severity=family.severity,
        observed_at=to_microseconds(row["observed_at"]),
        received_at=to_microseconds(row["received_at"]),
        evidence={
            "condition": f"{family.measurement} reaches {family.reaches:g} within {within_h:g} h",
            "since": to_datetime(emptied_at * 1_000_000).isoformat() if emptied_at else None,
            "values": {
                "value": round(float(found.level[place]), 1),
                "rate_per_h": round(float(found.rate_per_h[place]), 2),
                "hours": round(float(found.hours_p50[place]), 1),
                "hours_p80": None if p80 is None else round(p80, 1),
                "samples": int(found.samples[place]),
            },
            "limits": {"reaches": family.reaches, "within_h": within_h},
        },
        names={"device": row["title"], "municipality": row["municipality"]},
    )
