"""Forecast rules: an alert while a stored forecast says that a device will soon be full.

Forecasts are learnt and stored by rules.forecast.learning, whether or not this rule looks; here they are read
from their table, and alerts opened and ended. What is near and what is far is for `core.forecast` to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
import numpy as np

from alerts.transition import Severity
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from rules.definition.families import Forecast
from rules.forecast import prediction
from rules.forecast.learning import FillTarget, stored_profiles
from rules.forecast.prediction import FillForecast
from rules.language.program import Rule
from rules.sweeps.core import forecast
from rules.sweeps.incidents import EndedAlert, NewAlert, SweepContext, begin, end
from store.connection import Connection

# $3, $4: nearer than that it may begin, farther than that it may end; seconds. $5: a device that sent nothing
# since begins nothing. It only narrows what is read: core.forecast decides, by the profile that was learnt.
CANDIDATES = """
SELECT forecast.device_id, forecast.observed_at, forecast.state, latest.received_at,
    coalesce(nullif(device.title, ''), device.name) AS title, municipality.name AS municipality,
    alert.rule_version AS open_version, alert.severity AS open_severity
FROM forecast
INNER JOIN device ON forecast.device_id = device.id
INNER JOIN municipality ON device.municipality_id = municipality.id
INNER JOIN latest ON forecast.device_id = latest.device_id
LEFT JOIN alert ON alert.rule = $1 AND forecast.device_id = alert.device_id AND alert.state = 'firing'
WHERE forecast.rule = $1 AND device.kind = $2 AND device.retired_at IS NULL
    AND latest.received_at >= device.installed_at
    AND (
        (
            alert.id IS NULL AND latest.received_at
                > $5::timestamptz
                - greatest(latest.interval_s * $6::float8 - $7::float8, 0) * interval '1 second'
            AND forecast.p80_at < forecast.observed_at + ($3::float8 + 1) * interval '1 second'
        )
        OR (
            alert.id IS NOT NULL AND coalesce(
                forecast.p50_at > forecast.observed_at + ($4::float8 - 1) * interval '1 second', true
            )
        )
    )
ORDER BY forecast.device_id
"""


def target_of(rule: Rule, kinds: Mapping[str, Kind]) -> FillTarget:
    """Return what must be forecast for a rule."""
    family = rule.definition.sweep
    assert isinstance(family, Forecast)
    assert rule.definition.kind is not None
    return FillTarget(
        name=rule.id,
        kind=kinds[rule.definition.kind],
        measurement=family.measurement,
        reaches=family.reaches,
        emptied_by=family.emptied_by,
    )


async def sweep(connection: Connection, rule: Rule, moment: SweepContext) -> int:
    """Open and resolve alerts by the forecasts that are stored; return how many transitions that made."""
    family = rule.definition.sweep
    assert isinstance(family, Forecast)
    found = await connection.fetch(
        CANDIDATES,
        rule.id,
        rule.definition.kind,
        family.within_us / 1e6,
        family.clear_us / 1e6,
        to_datetime(moment.now - forecast.SPEAKS_WITHIN_US),
        forecast.SPEAKS_INTERVALS,
        forecast.SPEAKS_WITHIN_US / 1e6,
    )
    rows = [row for row in found if not _rests(row, moment)]
    if not rows:
        return 0
    at = np.array([to_microseconds(r["observed_at"]) // 1_000_000 for r in rows], dtype=np.int64)
    predicted = prediction.predict(stored_profiles([r["state"] for r in rows]), at, family.reaches)
    made = await end(connection, _endings(rule, family, rows, predicted), moment.now)
    return made + await begin(connection, rule, _findings(family, rows, predicted), moment.now)


def _rests(row: asyncpg.Record, moment: SweepContext) -> bool:
    """Tell whether the rule leaves a device alone; a forecast from before it was worked on says nothing."""
    until = moment.resting.get(row["device_id"])
    return until is not None and min(moment.now, to_microseconds(row["observed_at"])) < until


def _endings(
    rule: Rule, family: Forecast, rows: Sequence[asyncpg.Record], found: FillForecast
) -> list[EndedAlert]:
    far = forecast.judge(family, found).far
    return [
        EndedAlert(
            device_id=row["device_id"],
            rule=rule.id,
            version=row["open_version"],
            severity=Severity(row["open_severity"]),
            observed_at=to_microseconds(row["observed_at"]),
            received_at=to_microseconds(row["received_at"]),
            condition=f"not full within {family.clear_us / 3600e6:g} h",
        )
        for row, is_far in zip(rows, far.tolist(), strict=True)
        if is_far and row["open_version"] is not None
    ]


def _findings(family: Forecast, rows: Sequence[asyncpg.Record], found: FillForecast) -> list[NewAlert]:
    soon = forecast.judge(family, found).soon
    return [
        _finding(family, rows[i], found, i)
        for i in np.flatnonzero(soon).tolist()
        if rows[i]["open_version"] is None
    ]


def _finding(family: Forecast, row: asyncpg.Record, found: FillForecast, place: int) -> NewAlert:
    p80 = float(found.hours_p80[place])
    emptied_at = int(stored_profiles([row["state"]])["emptied_at"][0])
    within_h = family.within_us / 3600e6
    return NewAlert(
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
                "hours_p80": round(p80, 1) if np.isfinite(p80) else None,
                "samples": int(found.samples[place]),
            },
            "limits": {"reaches": family.reaches, "within_h": within_h},
        },
        names={"device": row["title"], "municipality": row["municipality"]},
    )
