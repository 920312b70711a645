"""The readings that hours are made from, and what is known of their devices. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind, Measurement
from devices.reporting import expected_interval_s, own_interval_s
from readings.buckets.bucket_columns import is_good
from readings.replay import of_records
from readings.rollups.holding import HOUR_US, Floats, Ints, held_us
from readings.rollups.hours import Paces, Spans, keys
from readings.tables import table_name
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupDevices:
    """What hours and days need to know of devices, by id."""

    kind: Kind
    attributes: Mapping[int, Mapping[str, Any]]
    zones: Mapping[int, str]

    def slowest_s(self, device_id: NDArray[np.int32]) -> Floats:
        """Return the longest interval that devices report in, (n,)."""
        own = self._own(device_id)
        return np.where(own > 0, own, max(r.every_s for r in self.kind.reporting))

    def reach_us(self, device_id: NDArray[np.int32]) -> Ints:
        """Return for how long at most something holds that they say, (n,)."""
        return held_us(self.slowest_s(device_id))

    def paces(self, rows: Columns) -> Paces:
        """Return how often the devices of rows report."""

        def attribute(name: str) -> Floats:
            return self._of_each(rows.device_id, lambda known: _number(known.get(name)))

        own = self._own(rows.device_id)
        by_state = expected_interval_s(self.kind, rows.values, own, attribute=attribute)
        return Paces(by_state=by_state, slowest=self.slowest_s(rows.device_id))

    def _own(self, device_id: NDArray[np.int32]) -> Floats:
        return self._of_each(device_id, own_interval_s)

    def _of_each(self, device_id: NDArray[np.int32], number: Any) -> Floats:
        ids, place = np.unique(device_id, return_inverse=True)
        of_ids = np.array([number(self.attributes.get(i, {})) for i in ids.tolist()], dtype=np.float64)
        found: Floats = of_ids[place]
        return found


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


_DEVICES = """
SELECT device.id, device.attributes, municipality.time_zone
FROM device
INNER JOIN municipality ON device.municipality_id = municipality.id
WHERE device.id = ANY($1)
"""


async def rollup_devices(connection: Connection, kind: Kind, device_id: NDArray[np.int32]) -> RollupDevices:
    """Return what is known of some devices of a kind."""
    rows = await connection.fetch(_DEVICES, np.unique(device_id).tolist())
    return RollupDevices(
        kind=kind,
        attributes={row["id"]: row["attributes"] for row in rows},
        zones={row["id"]: row["time_zone"] for row in rows},
    )


async def rows_around(connection: Connection, kind: Kind, spans: Spans, reach_us: Ints) -> Columns:
    """Return all readings that the hours of some spans depend on, in order of device and instant.

    Args:
        reach_us: (s,) how far around each span.
    """
    since = [to_datetime(at) for at in (spans.since * HOUR_US - reach_us).tolist()]
    until = [to_datetime(at) for at in (spans.until * HOUR_US + reach_us).tolist()]
    found = await connection.fetch(_within_sql(kind), spans.device_id.tolist(), since, until)
    rows = await asyncio.to_thread(of_records, kind, found)
    for m in kind.measurements:
        if m.looks_back:
            found += await _before(connection, m, rows, spans, reach_us)
    distinct = {(row["device_id"], row["observed_at"]): row for row in found}
    if len(distinct) > len(rows):
        rows = await asyncio.to_thread(of_records, kind, list(distinct.values()))
    return rows.take(np.lexsort((rows.observed_at, rows.device_id)))


def _fields(kind: Kind) -> str:
    names = ", ".join(f'r."{m.name}"' for m in kind.measurements)
    return (
        "r.device_id, r.observed_at, r.observed_at AS received_at, r.quality,"
        f" NULL::bigint AS boot, NULL::bigint AS seq, {names}"
    )


def _within_sql(kind: Kind) -> str:
    # OFFSET 0: each span is looked up by itself, whatever the planner knows of the tables.
    return (
        "SELECT r.* FROM unnest($1::integer [], $2::timestamptz [], $3::timestamptz [])"  # noqa: S608
        f" AS s (device_id, since, until) CROSS JOIN LATERAL (SELECT {_fields(kind)}"
        f" FROM {table_name(kind.name)} AS r WHERE r.device_id = s.device_id"
        " AND r.observed_at >= s.since AND r.observed_at < s.until OFFSET 0) AS r"
    )


async def _before(
    connection: Connection, m: Measurement, rows: Columns, spans: Spans, reach_us: Ints
) -> list[asyncpg.Record]:
    """Return the last good reading of a measurement before spans that begin without one."""
    if not len(rows):
        return []
    hour = rows.observed_at // HOUR_US
    good = np.flatnonzero(~rows.absent(m.name) & ((rows.quality >> m.bit) & 1 == 0))
    good = good[np.lexsort((rows.observed_at[good], rows.device_id[good]))]
    # The first span that ends behind a row is its own, or the row is one around the span before.
    ends = keys(spans.device_id, spans.until)
    span = np.searchsorted(ends, keys(rows.device_id[good], hour[good]), side="right")
    good, span = good[(some := span < len(spans))], span[some]
    around = spans.since[span] - reach_us[span] // HOUR_US - 1
    own = (spans.device_id[span] == rows.device_id[good]) & (hour[good] >= around)
    good, span = good[own], span[own]
    of_span, first = np.unique(span, return_index=True)
    begins = hour[good[first]] >= spans.since[of_span]
    first, of_span = first[begins], of_span[begins]
    at = [to_datetime(instant) for instant in rows.observed_at[good[first]].tolist()]
    return list(await connection.fetch(_before_sql(rows.kind, m), spans.device_id[of_span].tolist(), at))


def _before_sql(kind: Kind, m: Measurement) -> str:
    return (
        "SELECT r.* FROM unnest($1::integer [], $2::timestamptz []) AS s (device_id, at)"  # noqa: S608
        f" CROSS JOIN LATERAL (SELECT {_fields(kind)} FROM {table_name(kind.name)} AS r"
        f" WHERE r.device_id = s.device_id AND r.observed_at < s.at AND {is_good(m)}"
        " ORDER BY r.observed_at DESC LIMIT 1) AS r"
    )


async def next_that_look_back(
    connection: Connection, kind: Kind, device_id: Sequence[int], last: Sequence[int]
) -> list[tuple[int, int]]:
    """Return where counters and cycles go on after some instants, device and instant: from others there."""
    found: list[tuple[int, int]] = []
    at: list[datetime] = [to_datetime(instant) for instant in last]
    for m in kind.measurements:
        if m.looks_back:
            rows = await connection.fetch(_next_sql(kind, m), device_id, at)
            found += [(row["device_id"], to_microseconds(row["observed_at"])) for row in rows]
    return found


def _next_sql(kind: Kind, m: Measurement) -> str:
    return (
        "SELECT r.* FROM unnest($1::integer [], $2::timestamptz []) AS s (device_id, at)"  # noqa: S608
        f" CROSS JOIN LATERAL (SELECT r.device_id, r.observed_at FROM {table_name(kind.name)} AS r"
        f" WHERE r.device_id = s.device_id AND r.observed_at > s.at AND {is_good(m)}"
        " ORDER BY r.observed_at LIMIT 1) AS r"
    )
