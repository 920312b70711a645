"""Measurements over time, from readings in a short span and from rollups of hours in a long one.

One query asks both and Grafana's interval decides: the other half is folded away before anything is read.
"""

from __future__ import annotations

from devices.kinds.kind import Kind, Measurement

ROLLED_FROM_MS = 600_000
"""From this interval on hours are read: Grafana's for about a week on a page."""


def over_time(kind: Kind, measurements: tuple[Measurement, ...], *, of_readings: str, of_hours: str) -> str:
    """Return the query of the lowest, mean and highest values in each interval.

    A minute of trouble shows in an hour's bucket. Suspect values are left out.

    Args:
        kind: whose views are asked.
        measurements: of it, numbers.
        of_readings: which rows of v_<kind>, as a condition.
        of_hours: which rows of v_<kind>_hour.
    """
    raw = ",\n    ".join(
        f"{what}({m.name}) FILTER (WHERE quality & {1 << m.bit} = 0) AS {m.name}_{name}"
        for m in measurements
        for name, what in (("lowest", "min"), ("mean", "avg"), ("highest", "max"))
    )
    rolled = ",\n    ".join(part for m in measurements for part in _rolled(m))
    return f"""\
SELECT
    $__timeGroupAlias(observed_at, $__interval),
    {raw}
FROM v_{kind.name}
WHERE
    $__interval_ms < {ROLLED_FROM_MS} AND $__timeFilter(observed_at)
    AND {of_readings}
GROUP BY 1
UNION ALL
SELECT
    $__timeGroupAlias(at, $__interval),
    {rolled}
FROM v_{kind.name}_hour
WHERE
    $__interval_ms >= {ROLLED_FROM_MS} AND $__timeFilter(at)
    AND {of_hours}
GROUP BY 1
ORDER BY 1"""  # noqa: S608 - names of declared kinds and measurements, whose grammar is letters and digits


def _rolled(m: Measurement) -> tuple[str, str, str]:
    """Return the columns of one measurement from hours; an angle has no lowest and no highest."""
    if m.circular:
        return "NULL::double precision", f"avg({m.name}_avg)", "NULL::double precision"
    mean = f"sum({m.name}_avg * {m.name}_count) / nullif(sum({m.name}_count), 0)"
    return f"min({m.name}_min)", mean, f"max({m.name}_max)"
