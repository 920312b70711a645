"""The SQL of one measurement in buckets: extremes and mean, around a circle too, and how much a counter grew.

Names come from checked declarations and numbers from their limits; nothing else is written into SQL.
"""

from __future__ import annotations

from devices.kinds.kind import Measurement

_PLACES = 9
"""Decimals of a direction in degrees: the rest is what sines and cosines leave."""


def is_good(measurement: Measurement) -> str:
    """Return the condition of rows in which the measurement is known and not suspect."""
    return f'"{measurement.name}" IS NOT NULL AND quality & {1 << measurement.bit} = 0'


def beside(measurement: Measurement, alias: str, bucket: str, before: str) -> list[str]:
    """Return the columns that every row needs for `extremes`, beside those of its table.

    Args:
        bucket: the expression that is the same for all rows of a bucket.
        before: FROM and what follows: the last good row before all of these.
    """
    good = f"({is_good(measurement)})"
    column = f'"{measurement.name}"'
    if measurement.counter:
        over = f"OVER (PARTITION BY {good} ORDER BY observed_at)"
        return [
            f"coalesce(lag({name}) {over}, (SELECT {name} {before})) AS {alias}_{part}"
            for part, name in (("before", column), ("since", "observed_at"))
        ]
    if measurement.turn is None:
        return []
    angle = f"(({column} - {measurement.low!r}) * {360 / measurement.turn!r})"
    same = f"OVER (PARTITION BY {bucket}, {good})"
    degrees = f"atan2d(avg(sind({angle})) {same}, avg(cosd({angle})) {same})"
    rounded = f"round(({degrees})::numeric, {_PLACES})::float8"
    return [f"{measurement.low!r} + {rounded} * {measurement.turn / 360!r} AS {alias}_mean"]


def extremes(measurement: Measurement, alias: str, number: str, good: str) -> str:
    """Return the columns {alias}_min, _max and _avg of a bucket, and _grown of a counter."""
    if measurement.turn is not None:
        return _on_circle(measurement, measurement.turn, alias, good)
    parts = [f"{name}({number}) {good} AS {alias}_{name}" for name in ("min", "max", "avg")]
    if measurement.counter:
        parts.append(f"sum({_grown(measurement, alias)}) {good} AS {alias}_grown")
    return ", ".join(parts)


def _on_circle(measurement: Measurement, turn: float, alias: str, good: str) -> str:
    mean = f"{alias}_mean"
    off = f'"{measurement.name}" - {mean}'
    off = f"({off} - {turn!r} * floor(({off}) / {turn!r} + 0.5))"
    places = {
        "avg": f"max({mean}) {good}",
        "min": f"min({mean} + {off}) {good}",
        "max": f"max({mean} + {off}) {good}",
    }
    return ", ".join(f"{_inside(measurement, turn, p)} AS {alias}_{name}" for name, p in places.items())


def _inside(measurement: Measurement, turn: float, place: str) -> str:
    low = f"{measurement.low!r}"
    return f"({place}) - {turn!r} * floor((({place}) - {low}) / {turn!r})"


def _grown(measurement: Measurement, alias: str) -> str:
    """A counter that fell has been reset and counts from 0, see devices.changes.grown."""
    column, before = f'"{measurement.name}"', f"{alias}_before"
    reset = column
    if measurement.most_per_h is not None:
        hours = f"extract(epoch FROM observed_at - {alias}_since) / 3600"
        reset = f"CASE WHEN {column} <= {measurement.most_per_h!r} * ({hours} + 1) THEN {column} END"
    return f"CASE WHEN {column} < {before} THEN {reset} ELSE {column} - {before} END"
