"""Whatever the zone, the day and the hours: turns and quiet hours agree with themselves at every instant."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.time_zones import zone_named
from notify.routing.local_clock import LocalCalendar, LocalHours, LocalSpan, free_at, shifted
from notify.routing.rotation import OnCallLayer, OnCallOverride, OnCallRota

# Changes by an hour at midnight, in the night, for Ramadan, by half an hour, and a day that was left out.
ZONES = st.sampled_from(
    [
        "Asia/Beirut",
        "Africa/Casablanca",
        "Asia/Hebron",
        "Africa/Tripoli",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "UTC",
    ]
)
INSTANTS = st.integers(1_230_768_000_000_000, 1_893_456_000_000_000)
"""From 2009 until 2030, microseconds since 1970-01-01Z."""
MINUTES = st.integers(0, 1439)
DAYS = st.frozensets(st.integers(1, 7), min_size=1)
PEOPLE = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)
DAY_US = 86_400_000_000


@st.composite
def spans(draw: st.DrawFn) -> LocalSpan:
    return LocalSpan(start_min=draw(MINUTES), end_min=draw(MINUTES), days=draw(DAYS))


@st.composite
def layers(draw: st.DrawFn) -> OnCallLayer:
    start, end = draw(MINUTES), draw(MINUTES)
    return OnCallLayer(
        people=draw(PEOPLE),
        start=date(2009, 1, 1) + timedelta(days=draw(st.integers(0, 3000))),
        turn_days=draw(st.integers(1, 9)),
        handover_min=draw(MINUTES),
        hours=draw(st.sampled_from([None, LocalHours(minutes=(start, end), days=draw(DAYS))])),
    )


@settings(deadline=None, max_examples=60)
@given(zone=ZONES, span=spans(), at=INSTANTS)
def test_an_instant_lies_in_the_span_that_is_found(zone: str, span: LocalSpan, at: int) -> None:
    found = span.around(at, zone_named(zone))

    if found is not None:
        start, end = found
        assert start <= at < end
        assert end - start <= 26 * 3_600_000_000, "no longer than a day, and a change of the clock"
        assert span.around(start, zone_named(zone)) is not None


@settings(deadline=None, max_examples=60)
@given(
    zone=ZONES,
    quiet=st.lists(spans(), max_size=3),
    at=INSTANTS,
    after=st.lists(st.integers(0, 90_000), max_size=3),
)
def test_nothing_is_told_in_quiet_hours_nor_earlier_than_it_should(
    zone: str, quiet: list[LocalSpan], at: int, after: list[int]
) -> None:
    steps = [float(s) for s in sorted(after)]

    found = shifted(at, steps, quiet, zone_named(zone))

    assert found == sorted(found)
    assert all(later >= step for later, step in zip(found, steps, strict=True))
    free = free_at(at, quiet, zone_named(zone))
    assert free == at or all(span.around(free, zone_named(zone)) is None for span in quiet)


@settings(deadline=None, max_examples=60)
@given(zone=ZONES, several=st.lists(layers(), min_size=1, max_size=3), at=INSTANTS, data=st.data())
def test_shifts_say_at_every_instant_who_is_on_call(
    zone: str, several: list[OnCallLayer], at: int, data: st.DataObject
) -> None:
    end = at + 20 * DAY_US
    begin = data.draw(st.integers(at, end))
    stands_in = OnCallOverride(id=1, person=5, from_at=begin, until_at=begin + 3 * DAY_US)
    rota = OnCallRota(
        calendar=LocalCalendar(zone=zone_named(zone)), layers=tuple(several), overrides=(stands_in,)
    )
    present = {1, 2, 3, 5}

    shifts = rota.shifts(at, end, present)

    assert (shifts[0].from_at, shifts[-1].until_at) == (at, end)
    assert [s.until_at for s in shifts[:-1]] == [s.from_at for s in shifts[1:]]
    for instant in data.draw(st.lists(st.integers(at, end - 1), min_size=1, max_size=8)):
        (shift,) = [s for s in shifts if s.from_at <= instant < s.until_at]
        assert rota.who(instant, present) == shift.person
