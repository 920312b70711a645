"""Where calendar buckets begin on the clock of a time zone. Pure.

The platform's own zone data decides (devices.time_zones), not the database's, which may be of another year.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from devices.time_zones import zone_named

HALF_HOUR = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def bucket_starts(unit: str, start: datetime, end: datetime, time_zone: str) -> list[datetime]:
    """Return in UTC where every bucket begins that holds an instant of [start, end), oldest first.

    Args:
        start: first instant, with a zone.
        end: first instant left out; after start.
        unit: minute, hour or day. An hour that the clock shows twice is two buckets; a day is one.
        time_zone: IANA name.

    Raises:
        ValueError: another unit.
    """
    match unit:
        case "minute":
            first = start.astimezone(UTC).replace(second=0, microsecond=0)
            return [first + MINUTE * i for i in range(-((first - end) // MINUTE))]
        case "hour":
            return _hours(start, end, time_zone)
        case "day":
            return _days(start, end, time_zone)
    raise ValueError(unit)


def _hours(start: datetime, end: datetime, time_zone: str) -> list[datetime]:
    """Return hours; zones are whole half hours off, and so are their changes."""
    clock, found = zone_named(time_zone), set()
    instant = start.astimezone(UTC)
    while instant < end:
        local = instant.astimezone(clock)
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        begins = instant - past
        # After a change by half an hour the clock's hour began before the change.
        found.add(begins)
        instant = max(begins + HALF_HOUR, instant + HALF_HOUR - past % HALF_HOUR)
    return sorted(found)


def _days(start: datetime, end: datetime, time_zone: str) -> list[datetime]:
    clock = zone_named(time_zone)
    date, last = start.astimezone(clock).date(), end.astimezone(clock).date()
    days = []
    while date <= last:
        # Where midnight is skipped, this is the instant of the change.
        days.append(datetime.combine(date, time(), clock).astimezone(UTC))
        date += DAY
    return [day for day in days if day < end]
