"""Windows that come again, by the clocks of towns that change them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from devices.time_zones import zone_named
from rules.maintenance.recurrence import Recurrence, recurring

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


def spans(zone: str, first: str, last: str, start: str, end: str, **more: Any) -> list[tuple[str, str]]:
    """Return the windows as their beginnings and ends in UTC, by default of every day."""
    given = {"every": "week", "days": EVERY_DAY, "from_date": date(2020, 1, 1), **more}
    recurrence = Recurrence(from_time=time.fromisoformat(start), until_time=time.fromisoformat(end), **given)
    days = date.fromisoformat(first), date.fromisoformat(last)
    return [(text(w.from_at), text(w.until_at)) for w in recurring(recurrence, zone_named(zone), *days)]


def text(at: datetime) -> str:
    assert at.tzinfo is UTC
    return at.strftime("%m-%d %H:%M")


def hours(found: list[tuple[str, str]]) -> list[float]:
    at = [[datetime.strptime(f"2026-{t}+0000", "%Y-%m-%d %H:%M%z") for t in span] for span in found]
    return [(until - start) / timedelta(hours=1) for start, until in at]


@pytest.mark.parametrize(
    ("zone", "first", "last", "wanted"),
    [
        # Ramadan 2026 in Morocco: the clock goes back on 15 February at 3:00 and forward on 22 March at 2:00.
        (
            "Africa/Casablanca", "2026-02-13", "2026-02-16",
            [("02-13 01:00", "02-13 03:00"), ("02-14 01:00", "02-14 03:00"),
             ("02-15 01:00", "02-15 04:00"), ("02-16 02:00", "02-16 04:00")],
        ),
        (
            "Africa/Casablanca", "2026-03-21", "2026-03-23",
            [("03-21 02:00", "03-21 04:00"), ("03-22 02:00", "03-22 03:00"), ("03-23 01:00", "03-23 03:00")],
        ),
        # Libya has not changed its clock since 2013.
        (
            "Africa/Tripoli", "2026-03-28", "2026-03-30",
            [("03-28 00:00", "03-28 02:00"), ("03-29 00:00", "03-29 02:00"), ("03-30 00:00", "03-30 02:00")],
        ),
        # Palestine, 28 March at 2:00 and 24 October at 2:00.
        (
            "Asia/Hebron", "2026-03-27", "2026-03-29",
            [("03-27 00:00", "03-27 02:00"), ("03-28 00:00", "03-28 01:00"), ("03-28 23:00", "03-29 01:00")],
        ),
        # Lebanon at midnight: 2:00 to 4:00 always exists and is as long as ever.
        (
            "Asia/Beirut", "2026-03-28", "2026-03-30",
            [("03-28 00:00", "03-28 02:00"), ("03-28 23:00", "03-29 01:00"), ("03-29 23:00", "03-30 01:00")],
        ),
    ],
)  # fmt: skip
def test_two_to_four_stays_local_when_the_clock_is_changed(
    zone: str, first: str, last: str, wanted: list[tuple[str, str]]
) -> None:
    assert spans(zone, first, last, "02:00", "04:00") == wanted


def test_whole_day_has_23_24_or_25_hours() -> None:
    assert hours(spans("Asia/Beirut", "2026-03-28", "2026-03-30", "00:00", "00:00")) == [24, 23, 24]
    assert hours(spans("Asia/Beirut", "2026-10-23", "2026-10-25", "00:00", "00:00")) == [24, 25, 24]
    assert hours(spans("Africa/Casablanca", "2026-02-14", "2026-02-16", "00:00", "00:00")) == [24, 25, 24]


def test_time_that_does_not_exist_stands_for_the_moment_of_the_change() -> None:
    # Beirut, 29 March: 0:00 to 1:00 do not exist; the clock is put forward at 22:00 UTC.
    day = "2026-03-29", "2026-03-29"

    assert spans("Asia/Beirut", *day, "00:30", "03:00") == [("03-28 22:00", "03-29 00:00")]
    assert spans("Asia/Beirut", "2026-03-28", "2026-03-28", "22:00", "00:30") == [
        ("03-28 20:00", "03-28 22:00")
    ]
    assert spans("Asia/Beirut", *day, "00:15", "00:45") == []


def test_time_that_exists_twice_is_the_first_as_a_beginning_and_the_second_as_an_end() -> None:
    # Casablanca, 15 February: 2:00 to 3:00 exist twice, at 1:00 and at 2:00 UTC.
    day = "2026-02-15", "2026-02-15"

    assert spans("Africa/Casablanca", *day, "02:15", "02:45") == [("02-15 01:15", "02-15 02:45")]
    assert spans("Africa/Casablanca", *day, "02:30", "05:00") == [("02-15 01:30", "02-15 05:00")]
    assert spans("Africa/Casablanca", *day, "00:00", "02:30") == [("02-14 23:00", "02-15 02:30")]


def test_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    found = spans("Africa/Tripoli", "2026-03-01", "2026-03-31", "22:00", "06:00", days=(5,))

    assert found == [
        ("03-06 20:00", "03-07 04:00"), ("03-13 20:00", "03-14 04:00"), ("03-20 20:00", "03-21 04:00"),
        ("03-27 20:00", "03-28 04:00"),
    ]  # fmt: skip


def test_month_without_the_day_has_no_window() -> None:
    found = spans("Africa/Tripoli", "2026-01-01", "2026-05-31", "08:00", "09:00", every="month", days=(1, 31))

    assert [start for start, _ in found] == [
        "01-01 06:00", "01-31 06:00", "02-01 06:00", "03-01 06:00", "03-31 06:00", "04-01 06:00",
        "05-01 06:00", "05-31 06:00",
    ]  # fmt: skip


def test_none_begins_before_the_first_day_or_after_the_last() -> None:
    days = {"from_date": date(2026, 1, 3), "until_date": date(2026, 1, 4)}

    found = spans("UTC", "2026-01-01", "2026-01-09", "08:00", "09:00", **days)

    assert [start for start, _ in found] == ["01-03 08:00", "01-04 08:00"]
