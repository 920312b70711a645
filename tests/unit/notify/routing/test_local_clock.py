"""Spans of the day across changes of the clock."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from devices.instants import to_datetime, to_microseconds
from devices.time_zones import zone_named
from notify.routing.local_clock import LocalHours, LocalSpan, free_at, instant_of, shifted

BEIRUT = zone_named("Asia/Beirut")
CASABLANCA = zone_named("Africa/Casablanca")


def at(text: str) -> int:
    return to_microseconds(datetime.fromisoformat(text))


def hhmm(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def span(start: str, end: str, *days: int) -> LocalSpan:
    found = LocalSpan(start_min=hhmm(start), end_min=hhmm(end))
    return (
        LocalSpan(start_min=found.start_min, end_min=found.end_min, days=frozenset(days)) if days else found
    )


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        ("2026-01-15", "08:00", "2026-01-15T08:00+02:00"),
        ("2026-07-15", "08:00", "2026-07-15T08:00+03:00"),
        # Lebanon's clocks go from 00:00 to 01:00 on 2026-03-29: midnight to one is left out.
        ("2026-03-29", "00:00", "2026-03-29T01:00+03:00"),
        ("2026-03-29", "00:45", "2026-03-29T01:00+03:00"),
        ("2026-03-29", "01:10", "2026-03-29T01:10+03:00"),
        # And from 00:00 back to 23:00 on the night to 2026-10-25: that hour comes twice.
        ("2026-10-24", "23:30", "2026-10-24T23:30+03:00"),
        ("2026-10-25", "00:00", "2026-10-25T00:00+02:00"),
    ],
)
def test_a_time_of_the_day_is_one_instant(day: str, clock: str, expected: str) -> None:
    found = instant_of(date.fromisoformat(day), hhmm(clock), BEIRUT)

    assert to_datetime(found) == datetime.fromisoformat(expected)


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    friday_night = span("22:00", "06:00", 5)

    assert friday_night.around(at("2026-01-17T05:59+02:00"), BEIRUT) == (
        at("2026-01-16T22:00+02:00"),
        at("2026-01-17T06:00+02:00"),
    )
    assert friday_night.around(at("2026-01-16T05:59+02:00"), BEIRUT) is None
    assert friday_night.around(at("2026-01-17T06:00+02:00"), BEIRUT) is None
    assert friday_night.around(at("2026-01-17T22:30+02:00"), BEIRUT) is None


def test_the_night_of_a_change_is_an_hour_shorter_or_longer() -> None:
    night = span("22:00", "06:00")

    def hours(text: str) -> float:
        start, end = night.around(at(text), BEIRUT) or (0, 0)
        return (end - start) / 3.6e9

    assert hours("2026-03-29T02:00+03:00") == 7
    assert hours("2026-10-25T02:00+02:00") == 9
    # Morocco leaves its summer time for Ramadan: from 2026-02-15 03:00 to 02:00, back on 2026-03-22.
    start, end = night.around(at("2026-02-15T01:00+00:00"), CASABLANCA) or (0, 0)
    assert (end - start) / 3.6e9 == 9


def test_days_of_rest_are_those_of_the_place() -> None:
    rest = LocalHours(days="weekend").span(frozenset({5, 6}))
    work = LocalHours(minutes=(480, 960), days="workdays").span(frozenset({5, 6}))

    friday, sunday = at("2026-01-16T10:00+02:00"), at("2026-01-18T10:00+02:00")
    assert (rest.around(friday, BEIRUT) is None, work.around(friday, BEIRUT) is None) == (False, True)
    assert (rest.around(sunday, BEIRUT) is None, work.around(sunday, BEIRUT) is None) == (True, False)


def test_what_falls_into_quiet_hours_waits_until_their_end() -> None:
    quiet = [span("22:00", "06:00")]
    evening, night = at("2026-01-16T21:50+02:00"), at("2026-01-16T23:00+02:00")

    assert shifted(evening, [0.0, 300.0, 900.0], quiet, BEIRUT) == [0.0, 300.0, 8 * 3600 + 600.0]
    assert shifted(night, [0.0, 300.0], quiet, BEIRUT) == [7 * 3600.0, 7 * 3600 + 300.0]
    assert shifted(night, [0.0, 300.0], [], BEIRUT) == [0.0, 300.0]


def test_spans_that_follow_each_other_are_one_wait_and_without_an_end_there_is_none() -> None:
    night = at("2026-01-16T23:00+02:00")

    assert free_at(night, [span("22:00", "02:00"), span("02:00", "06:00")], BEIRUT) == at(
        "2026-01-17T06:00+02:00"
    )
    assert free_at(night, [span("00:00", "12:00"), span("12:00", "00:00")], BEIRUT) == night
