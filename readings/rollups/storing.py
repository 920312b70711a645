"""Hours and days into their tables. What was made of more readings than are left of them stays as it is.

Names of tables and columns come from checked declarations; values are always parameters.
"""

# ruff: noqa: S608 - names of tables and columns come from declarations whose grammar leaves nothing to quote

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from devices.instants import to_datetime
from devices.kinds.kind import Kind, ValueType
from readings.kept.columns import Part, column_name, merged, parts_of
from readings.kept.tables import days_of, hours_of
from readings.rollups.holding import HOUR_US
from readings.rollups.hours import Hours, Spans, keys
from readings.rollups.local_days import LocalDay
from store.connection import Connection
from store.tables import Table

AT_ONCE = 1000
"""Rows in one statement."""


async def store_hours(connection: Connection, kind: Kind, hours: Hours, spans: Spans) -> None:
    """Store the hours of some spans, and drop those that only held what is now known to have ended before."""
    table = hours_of(kind)
    await _drop_stale(connection, table, hours, spans)
    statement = _hours_sql(table)
    lists = [
        hours.device_id.tolist(),
        [to_datetime(hour * HOUR_US) for hour in hours.hour.tolist()],
        hours.readings.tolist(),
        hours.expected.tolist(),
        *(hours.values[column.name] for column in table.columns[4:]),
    ]
    for start in range(0, len(hours), AT_ONCE):
        await connection.execute(statement, *(values[start : start + AT_ONCE] for values in lists))


def _hours_sql(table: Table) -> str:
    names = ", ".join(column.name for column in table.columns)
    arrays = ", ".join(f"${n}::{column.type} []" for n, column in enumerate(table.columns, start=1))
    return (
        f"INSERT INTO {table.name} AS kept ({names}) SELECT {names} FROM unnest({arrays}) AS r ({names})"
        f" {_replacing(table)}"
    )


def _replacing(table: Table) -> str:
    changed = [column.name for column in table.columns if column.name not in ("device_id", "at")]
    values = ", ".join(f"{name} = excluded.{name}" for name in changed)
    return f"ON CONFLICT (device_id, at) DO UPDATE SET {values} WHERE excluded.readings >= kept.readings"


async def _drop_stale(connection: Connection, table: Table, hours: Hours, spans: Spans) -> None:
    silent = await connection.fetch(
        "SELECT h.device_id, h.at FROM unnest($1::integer [], $2::timestamptz [], $3::timestamptz [])"
        f" AS s (device_id, since, until) CROSS JOIN LATERAL (SELECT h.device_id, h.at FROM {table.name} AS h"
        " WHERE h.device_id = s.device_id AND h.at >= s.since AND h.at < s.until AND h.readings = 0"
        " OFFSET 0) AS h",
        spans.device_id.tolist(),
        [to_datetime(hour * HOUR_US) for hour in spans.since.tolist()],
        [to_datetime(hour * HOUR_US) for hour in spans.until.tolist()],
    )
    there = set(keys(hours.device_id, hours.hour).tolist())
    for row in silent:
        hour = np.array([row["at"].timestamp() // 3600], dtype=np.int64)
        if int(keys(np.array([row["device_id"]], dtype=np.int32), hour)[0]) not in there:
            await connection.execute(
                f"DELETE FROM {table.name} WHERE device_id = $1 AND at = $2", row["device_id"], row["at"]
            )


async def store_days(
    connection: Connection, kind: Kind, days: Sequence[LocalDay], slowest_s: Sequence[float]
) -> None:
    """Make days from the hours that lie in them.

    Args:
        slowest_s: of each day's device, the longest interval it reports in; counts in hours without a row.
    """
    table = days_of(kind)
    statement, moved = _days_sql(kind, table), _moved_sql(table)
    for start in range(0, len(days), AT_ONCE):
        some = days[start : start + AT_ONCE]
        devices, since = [day.device_id for day in some], [day.since for day in some]
        dates, until = [day.date for day in some], [day.until for day in some]
        await connection.execute(moved, devices, since, dates)
        await connection.execute(
            statement, devices, since, until, dates, list(slowest_s[start : start + AT_ONCE])
        )


def _moved_sql(table: Table) -> str:
    """Return what drops a date's day that began at another instant: its device came from another zone."""
    return (
        f"DELETE FROM {table.name} WHERE (device_id, at) IN (SELECT d.device_id, d.at"
        " FROM unnest($1::integer [], $2::timestamptz [], $3::date []) AS t (device_id, since, day)"
        f" CROSS JOIN LATERAL (SELECT o.device_id, o.at FROM {table.name} AS o"
        " WHERE o.device_id = t.device_id AND o.at > t.since - INTERVAL '2 days'"
        " AND o.at < t.since + INTERVAL '2 days'"
        " AND o.at <> t.since AND o.day = t.day OFFSET 0) AS d)"
    )


def _days_sql(kind: Kind, table: Table) -> str:
    names = ", ".join(column.name for column in table.columns)
    sums = [
        _words(kind, f"{m.name}_{part}")
        if m.type is ValueType.TEXT and part is Part.SECONDS
        else merged(part, f"h.{column_name(m, part)}")
        for m in kind.measurements
        for part in parts_of(m)
    ]
    hours = hours_of(kind).name
    return (
        f"INSERT INTO {table.name} AS kept ({names})"
        " SELECT t.device_id, t.since, t.day, h.*"
        " FROM unnest($1::integer [], $2::timestamptz [], $3::timestamptz [], $4::date [], $5::float8 [])"
        " AS t (device_id, since, until, day, slowest_s)"
        " CROSS JOIN LATERAL (SELECT sum(h.readings)::integer, sum(h.expected)"
        " + (extract(epoch FROM t.until - t.since)::float8 - 3600 * count(*)) / t.slowest_s,"
        f" {', '.join(sums)} FROM {hours} AS h"
        " WHERE h.device_id = t.device_id AND h.at >= t.since AND h.at < t.until HAVING count(*) > 0) AS h"
        f" {_replacing(table)}"
    )


def _words(kind: Kind, column: str) -> str:
    return (
        "(SELECT jsonb_object_agg(w.word, w.seconds)"
        " FROM (SELECT e.key AS word, sum(e.value::float8) AS seconds"
        f" FROM {hours_of(kind).name} AS g CROSS JOIN LATERAL jsonb_each_text(g.{column}) AS e"
        " WHERE g.device_id = t.device_id AND g.at >= t.since AND g.at < t.until GROUP BY e.key) AS w)"
    )
