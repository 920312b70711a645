"""Calendar buckets of one device, summarised from its hours or days. Reads only.

Names of tables and columns come from checked declarations; values are always parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from devices.kinds.kind import Kind, Measurement, ValueType
from readings.buckets.summary import ReadingBucket, summary_of
from readings.kept.columns import Part, average, column_name, merged, parts_of
from readings.kept.tables import days_of, hours_of
from store.connection import Connection
from store.tables import Resolution


async def rolled_buckets(
    connection: Connection,
    kind: Kind,
    device_id: int,
    resolution: Resolution,
    *,
    measurements: Sequence[str],
    starts: Sequence[datetime],
    end: datetime,
) -> list[ReadingBucket]:
    """Return the buckets that begin at `starts` and hold a reading; the last ends at `end`.

    Extremes of circular measurements are not kept, and are None.
    """
    table = (days_of if resolution is Resolution.DAY else hours_of)(kind).name
    statement = buckets_sql(kind, table, measurements)
    rows = await connection.fetch(statement, device_id, starts[0], end, starts)
    return [
        ReadingBucket(
            at=row["at"],
            readings=row["readings"],
            values={name: summary_of(row, name) for name in measurements},
        )
        for row in rows
    ]


def buckets_sql(kind: Kind, table: str, measurements: Sequence[str]) -> str:
    """Return the statement behind `rolled_buckets`: device, first instant, end, starts."""
    declared = [kind.measurement(name) for name in measurements]
    inside = [
        f"{merged(part, f'h.{column_name(m, part)}')} AS {column_name(m, part)}"
        for m in declared
        for part in parts_of(m)
        if not (m.type is ValueType.TEXT and part is Part.SECONDS)
    ]
    outside = [f"{expression} AS {m.name}_{name}" for m in declared for name, expression in _shown(m).items()]
    return (
        f"SELECT r.at, r.readings, {', '.join(outside)} FROM ("  # noqa: S608 - checked names
        "SELECT ($4::timestamptz [])[width_bucket(h.at, $4::timestamptz [])] AS at,"
        f" sum(h.readings)::integer AS readings, {', '.join(inside)} FROM {table} AS h"
        " WHERE h.device_id = $1 AND h.at >= $2 AND h.at < $3 GROUP BY 1"
        ") AS r WHERE r.readings > 0 ORDER BY r.at"
    )


def _shown(m: Measurement) -> dict[str, str]:
    counted = f"coalesce(r.{m.name}_count, 0)"
    if m.type is ValueType.TEXT:
        return {"count": counted, "last": f"r.{m.name}_last"}
    shown = {"count": counted, "avg": average(m, "r.") or "NULL"}
    if m.type is ValueType.BOOLEAN:
        some = f"CASE WHEN r.{m.name}_count > 0 THEN"
        return shown | {
            "last": f"r.{m.name}_last::integer::float8",
            "min": f"{some} (r.{m.name}_true = r.{m.name}_count)::integer::float8 END",
            "max": f"{some} (r.{m.name}_true > 0)::integer::float8 END",
        }
    kept = [part for part in (Part.LAST, Part.MIN, Part.MAX, Part.GROWN) if part in parts_of(m)]
    return shown | {str(part): f"r.{m.name}_{part}" for part in kept}
