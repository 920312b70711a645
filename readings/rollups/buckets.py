"""Calendar buckets of one device's readings, from the cheapest place that knows them.

Hours and days answer for whole buckets that are made, still kept, and touched by no new reading; readings
themselves answer for the rest. Both give the same answer. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from devices.kinds.kind import Kind
from readings.buckets.calendar import bucket_starts
from readings.buckets.raw_buckets import raw_buckets
from readings.buckets.summary import ReadingBucket
from readings.rollups.state import RollupState, state_of
from readings.rollups.summaries import rolled_buckets
from store.connection import Connection
from store.tables import Resolution

CIRCLES_AT_MOST = timedelta(days=31)
"""Extremes of directions are read from readings; for longer spans they are left out where rollups answer."""

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Buckets that follow each other, from one place; readings where `resolution` is READING."""

    resolution: Resolution
    starts: list[datetime]
    end: datetime


async def buckets(
    connection: Connection,
    kind: Kind,
    device_id: int,
    *,
    measurements: Sequence[str],
    start: datetime,
    end: datetime,
    unit: str,
    time_zone: str,
) -> list[ReadingBucket]:
    """Return a summary per calendar bucket of the readings observed in [start, end), oldest first.

    Args:
        connection: the database, outside of a transaction.
        kind: the device's kind.
        device_id: the registry's number of the device.
        measurements: which of them to summarise.
        start: first instant included.
        end: first instant left out.
        unit: minute, hour or day.
        time_zone: IANA name; decides where hours and days begin.
    """
    starts = bucket_starts(unit, start, end, time_zone)
    # One snapshot: what is marked, rolled up and stored must be of one instant.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        state = await state_of(connection, kind, device_id, start)
        runs = list(_runs(state, starts, start, end, unit, time_zone))
        found: list[ReadingBucket] = []
        for run in runs:
            if run.resolution is Resolution.READING:
                found += await raw_buckets(
                    connection,
                    kind,
                    device_id,
                    measurements=measurements,
                    start=max(start, run.starts[0]),
                    end=run.end,
                    starts=run.starts,
                )
            else:
                rolled = await rolled_buckets(
                    connection,
                    kind,
                    device_id,
                    run.resolution,
                    measurements=measurements,
                    starts=run.starts,
                    end=run.end,
                )
                circles = [m for m in measurements if kind.measurement(m).circular]
                if circles and run.end - run.starts[0] <= CIRCLES_AT_MOST:
                    around = await raw_buckets(
                        connection,
                        kind,
                        device_id,
                        measurements=circles,
                        start=run.starts[0],
                        end=run.end,
                        starts=run.starts,
                    )
                    rolled = _with(rolled, around)
                found += rolled
    return found


def _with(rolled: Iterable[ReadingBucket], raw: Iterable[ReadingBucket]) -> list[ReadingBucket]:
    known = {bucket.at: bucket.values for bucket in raw}
    return [replace(bucket, values={**bucket.values, **known.get(bucket.at, {})}) for bucket in rolled]


def _runs(
    state: RollupState, starts: list[datetime], start: datetime, end: datetime, unit: str, time_zone: str
) -> Iterable[_Run]:
    ends = [*starts[1:], end]
    at = 0
    while at < len(starts):
        resolution = _resolution(state, starts[at], ends[at], start, end, unit, time_zone)
        until = at + 1
        while until < len(starts) and resolution is _resolution(
            state, starts[until], ends[until], start, end, unit, time_zone
        ):
            until += 1
        yield _Run(resolution=resolution, starts=starts[at:until], end=ends[until - 1])
        at = until


def _resolution(
    state: RollupState,
    since: datetime,
    until: datetime,
    start: datetime,
    end: datetime,
    unit: str,
    time_zone: str,
) -> Resolution:
    """Return which table answers for one bucket: the cheapest that still holds all of it."""
    if unit == "minute" or since < start or not state.knows(since, until):
        return Resolution.READING
    is_over = until < end or len(bucket_starts(unit, since, end + MOMENT, time_zone)) > 1
    whole_day = unit == "day" and is_over
    if whole_day and state.days_in == time_zone and state.keeps(Resolution.DAY, since):
        return Resolution.DAY
    for finer in (Resolution.HOUR, Resolution.READING):
        if state.keeps(finer, since):
            return finer
    # Of devices that moved, days may be of another municipality's clock: better than nothing.
    if whole_day and state.zone == time_zone and state.keeps(Resolution.DAY, since):
        return Resolution.DAY
    return state.best_before_hours()
