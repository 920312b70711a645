"""Which local days hours lie in, by the platform's own zone data. Pure.

A day has 23, 24 or 25 hours. Where a zone is not a whole number of hours off, an hour belongs to the day in
which it begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from devices.instants import to_datetime, to_microseconds
from devices.time_zones import zone_named
from readings.buckets.calendar import DAY, bucket_starts
from readings.rollups.holding import HOUR_US
from readings.rollups.hours import Spans


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDay:
    """One device's day: [since, until), and its date there."""

    device_id: int
    since: datetime
    until: datetime
    date: date


def days_of_spans(spans: Spans, zones: Mapping[int, str]) -> list[LocalDay]:
    """Return the days that hours of some devices lie in, each once.

    Args:
        zones: the time zone of every device's municipality, by its id.
    """
    found: dict[tuple[int, datetime], LocalDay] = {}
    of_zone = np.array([zones.get(device, "UTC") for device in spans.device_id.tolist()])
    for zone in np.unique(of_zone).tolist():
        here = spans.take(of_zone == zone)
        first, last = int(here.since.min()) * HOUR_US, int(here.until.max()) * HOUR_US
        starts = bucket_starts("day", to_datetime(first), to_datetime(last) + 2 * DAY, zone)
        instants = np.array([to_microseconds(start) for start in starts])
        dates = [start.astimezone(zone_named(zone)).date() for start in starts]
        low = np.searchsorted(instants, here.since * HOUR_US, side="right") - 1
        high = np.searchsorted(instants, (here.until - 1) * HOUR_US, side="right") - 1
        for device, begin, end in zip(here.device_id.tolist(), low.tolist(), high.tolist(), strict=True):
            for n in range(begin, end + 1):
                day = LocalDay(device_id=device, since=starts[n], until=starts[n + 1], date=dates[n])
                found[device, day.since] = day
    return list(found.values())
