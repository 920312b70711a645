"""Working time on calendars of four countries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.time_zones import zone_named
from work.calendars.public_days import hijri_year_of, public_holidays, ramadan_of, territory_of
from work.calendars.working import WorkingCalendar, add_working, working_between

HOUR = timedelta(hours=1)
DAY_HOURS = ((8 * 60, 12 * 60), (13 * 60, 17 * 60))


def calendar(zone: str, *rest: int, territory: str | None = None) -> WorkingCalendar:
    years = range(2025, 2029)
    return WorkingCalendar(
        zone=zone_named(zone),
        hours={day: DAY_HOURS for day in range(1, 8) if day not in rest},
        ramadan_hours=((9 * 60, 14 * 60),),
        ramadan=[ramadan_of(year) for year in range(1446, 1450)],
        holidays=frozenset(day for year in years for day in public_holidays(territory, year)),
    )


BEIRUT = calendar("Asia/Beirut", 6, 7, territory="LB")
TRIPOLI = calendar("Africa/Tripoli", 5, 6, territory="LY")
HEBRON = calendar("Asia/Hebron", 5, 6, territory="PS")
CASABLANCA = calendar("Africa/Casablanca", 6, 7, territory="MA")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("where", "start", "hours", "end"),
    [
        # Thursday 16:00 in Beirut (+02): an hour is left, then Friday; the weekend is Saturday and Sunday.
        (BEIRUT, "2026-01-15T14:00", 2, "2026-01-16T07:00"),
        (BEIRUT, "2026-01-16T14:00", 2, "2026-01-19T07:00"),
        # In Libya people rest on Friday and Saturday.
        (TRIPOLI, "2026-01-15T14:00", 2, "2026-01-18T07:00"),
        # Noon is a pause.
        (HEBRON, "2026-01-12T09:30", 1, "2026-01-12T11:30"),
        # 30 July is the throne's day in Morocco; the clock is one hour ahead of UTC.
        (CASABLANCA, "2026-07-29T15:30", 1, "2026-07-31T07:30"),
    ],
)
def test_time_is_counted_in_the_hours_of_the_place(
    where: WorkingCalendar, start: str, hours: int, end: str
) -> None:
    assert add_working(where, at(start), hours * HOUR) == at(end)


def test_morocco_puts_its_clock_back_in_ramadan() -> None:
    # Ramadan 1447 is 18 February to 19 March 2026; the clock is UTC+1 before, UTC+0 from 15 February on.
    assert ramadan_of(1447) == (date(2026, 2, 18), date(2026, 3, 19))
    assert add_working(CASABLANCA, at("2026-02-13T06:00"), HOUR) == at("2026-02-13T08:00")
    assert add_working(CASABLANCA, at("2026-02-16T06:00"), HOUR) == at("2026-02-16T09:00")
    # In Ramadan five hours from nine; after it (the Eid, and the clock forward again) eight from eight.
    assert working_between(CASABLANCA, at("2026-02-19T00:00"), at("2026-02-20T00:00")) == 5 * HOUR
    assert add_working(CASABLANCA, at("2026-02-19T06:00"), HOUR) == at("2026-02-19T10:00")
    assert add_working(CASABLANCA, at("2026-03-19T13:30"), HOUR) == at("2026-03-23T07:30")


def test_holidays_and_days_by_hand_count() -> None:
    eid = date(2026, 3, 20)
    assert eid in public_holidays("LY", 2026)
    assert "عيد" in public_holidays("LB", 2026, "ar")[eid]
    week = dict.fromkeys(range(1, 6), DAY_HOURS)
    plain = WorkingCalendar(zone=zone_named("Asia/Beirut"), hours=week)
    wednesday, saturday = at("2026-01-14T00:00"), date(2026, 1, 17)
    rest = WorkingCalendar(zone=plain.zone, hours=week, holidays=frozenset({date(2026, 1, 14)}))
    more = WorkingCalendar(zone=plain.zone, hours=week, added=frozenset({saturday}))
    assert add_working(plain, wednesday, HOUR) == at("2026-01-14T07:00")
    assert add_working(rest, wednesday, HOUR) == at("2026-01-15T07:00")
    assert more.of(saturday) == DAY_HOURS
    assert plain.of(saturday) == ()


@pytest.mark.parametrize(
    ("locale", "territory"), [("ar-LB", "LB"), ("fr_MA", "MA"), ("ar", None), ("ar-Arab-LY", "LY")]
)
def test_a_locale_names_a_territory(locale: str, territory: str | None) -> None:
    assert territory_of(locale) == territory


def test_a_place_without_territory_has_no_holidays() -> None:
    assert public_holidays(None, 2026) == public_holidays("ZZ", 2026) == {}
    assert hijri_year_of(date(2026, 3, 1)) == 1447


def test_a_calendar_without_hours_never_reaches_anything() -> None:
    assert (
        add_working(WorkingCalendar(zone=zone_named("UTC"), hours={}), at("2026-01-01T00:00"), HOUR) is None
    )


calendars = st.sampled_from([BEIRUT, TRIPOLI, HEBRON, CASABLANCA, None])
instants = st.datetimes(datetime(2025, 6, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001
durations = st.integers(1, 200 * 3600).map(lambda s: timedelta(seconds=s))


@settings(deadline=None, max_examples=60)
@given(calendars, instants, durations, durations)
def test_adding_and_measuring_are_each_other_s_inverse(
    where: WorkingCalendar | None, start: datetime, first: timedelta, second: timedelta
) -> None:
    once = add_working(where, start, first)
    assert once is not None
    assert working_between(where, start, once) == first
    # The earliest instant at which that is so.
    assert working_between(where, start, once - timedelta(microseconds=1)) < first
    assert add_working(where, once, second) == add_working(where, start, first + second)


@settings(deadline=None, max_examples=60)
@given(calendars, instants, instants, instants)
def test_time_between_adds_up(
    where: WorkingCalendar | None, one: datetime, two: datetime, three: datetime
) -> None:
    a, b, c = sorted((one, two, three))
    assert working_between(where, a, b) + working_between(where, b, c) == working_between(where, a, c)
    assert working_between(where, b, a) == timedelta(0)


def test_a_friday_that_is_shorter_than_days_of_ramadan_stays_short() -> None:
    first, _ = ramadan_of(1447)
    friday = next(day for day in (first + timedelta(days=n) for n in range(1, 8)) if day.isoweekday() == 5)
    short = ((8 * 60, 11 * 60),)
    where = replace(BEIRUT, hours={**BEIRUT.hours, 5: short}, holidays=frozenset())
    assert where.of(friday) == short
    assert where.of(friday - timedelta(days=1)) == ((9 * 60, 14 * 60),)
