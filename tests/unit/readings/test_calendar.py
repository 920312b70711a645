"""Calendar buckets on clocks that skip, repeat, and stand half an hour beside others."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from devices.time_zones import TIME_ZONES, zone_named
from readings.buckets.calendar import bucket_starts


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(unit: str, start: str, end: str, zone: str) -> list[str]:
    return [f"{s:%d %H:%M}" for s in bucket_starts(unit, at(start), at(end), zone)]


@pytest.mark.parametrize(
    ("unit", "start", "end", "zone", "expected"),
    [
        ("minute", "2026-03-01T10:00:30", "2026-03-01T10:02", "Asia/Beirut", ["01 10:00", "01 10:01"]),
        ("hour", "2026-03-01T10:20", "2026-03-01T12:00", "UTC", ["01 10:00", "01 11:00"]),
        (
            "hour",
            "2026-03-01T10:20",
            "2026-03-01T11:40",
            "Asia/Kolkata",
            ["01 09:30", "01 10:30", "01 11:30"],
        ),
        # 2026-03-29: Beirut's midnight is skipped, at 22:00 UTC.
        ("day", "2026-03-28T10:00", "2026-03-30T10:00", "Asia/Beirut", ["27 22:00", "28 22:00", "29 21:00"]),
        # 2026-10-24: at midnight, 21:00 UTC, Beirut goes back to 23:00.
        ("day", "2026-10-24T10:00", "2026-10-25T23:00", "Asia/Beirut", ["23 21:00", "24 22:00", "25 22:00"]),
        # 2026-10-25: two o'clock comes twice in Paris, at 0:00 and 1:00 UTC.
        (
            "hour",
            "2026-10-24T23:30",
            "2026-10-25T01:30",
            "Europe/Paris",
            ["24 23:00", "25 00:00", "25 01:00"],
        ),
        # 2026-04-05: Lord Howe goes back by half an hour, at 15:00 UTC of the 4th.
        (
            "hour",
            "2026-04-04T14:10",
            "2026-04-04T16:40",
            "Australia/Lord_Howe",
            ["04 14:00", "04 14:30", "04 15:30", "04 16:30"],
        ),
    ],
)
def test_buckets_begin_where_the_clock_says(
    unit: str, start: str, end: str, zone: str, expected: list[str]
) -> None:
    assert starts(unit, start, end, zone) == expected


@pytest.mark.parametrize("name", ["Africa/Casablanca", "Africa/Tripoli", "Asia/Gaza", "Asia/Beirut"])
def test_days_are_as_long_as_the_clock_makes_them(name: str) -> None:
    days = bucket_starts("day", at("2026-01-01"), at("2027-01-01"), name)
    clock = zone_named(name)
    assert {b - a for a, b in pairwise(days)} <= {timedelta(hours=h) for h in (23, 24, 25)}
    dates = [(d.astimezone(clock) + timedelta(minutes=1)).date() for d in days]
    assert dates == sorted(set(dates))
    assert len(dates) in (365, 366)


def test_every_zone_of_the_package_has_a_clock() -> None:
    noon = at("2026-06-01T12:00")
    assert all(noon.astimezone(zone_named(name)).utcoffset() is not None for name in TIME_ZONES)
