"""Who is on call: turns, layers, those who stand in, across changes of the clock."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from devices.instants import to_datetime, to_microseconds
from devices.time_zones import zone_named
from notify.routing.local_clock import LocalCalendar, LocalHours
from notify.routing.rotation import OnCallLayer, OnCallOverride, OnCallRota

BEIRUT = LocalCalendar(zone=zone_named("Asia/Beirut"), weekend=frozenset({6, 7}))
CASABLANCA = LocalCalendar(zone=zone_named("Africa/Casablanca"))
ALL = {1, 2, 3}


def at(text: str) -> int:
    return to_microseconds(datetime.fromisoformat(text))


def layer(
    *people: int, start: str = "2026-01-05", days: int = 7, handover: int = 480, **more: LocalHours
) -> OnCallLayer:
    return OnCallLayer(
        people=people, start=date.fromisoformat(start), turn_days=days, handover_min=handover, **more
    )


def rota(*layers: OnCallLayer, overrides: tuple[OnCallOverride, ...] = ()) -> OnCallRota:
    return OnCallRota(calendar=BEIRUT, layers=layers, overrides=overrides)


@pytest.mark.parametrize(
    ("when", "who"),
    [
        ("2026-01-05T07:59+02:00", None),
        ("2026-01-05T08:00+02:00", 1),
        ("2026-01-12T07:59+02:00", 1),
        ("2026-01-12T08:00+02:00", 2),
        ("2026-01-26T08:00+02:00", 1),
        # Eight in the morning, summer time or not.
        ("2026-03-30T07:59+03:00", 3),
        ("2026-03-30T08:00+03:00", 1),
        ("2026-11-02T07:59+02:00", 1),
        ("2026-11-02T08:00+02:00", 2),
    ],
)
def test_turns_change_at_the_local_handover(when: str, who: int | None) -> None:
    assert rota(layer(1, 2, 3)).who(at(when), ALL) == who


def test_a_handover_that_the_clock_leaves_out_or_shows_twice_happens_once() -> None:
    # 00:30 does not exist on 2026-03-29, and 23:30 comes twice on 2026-10-24.
    spring = rota(layer(1, 2, start="2026-03-28", days=1, handover=30))
    autumn = rota(layer(1, 2, start="2026-10-23", days=1, handover=23 * 60 + 30))

    changes = [
        s.from_at for s in spring.shifts(at("2026-03-28T12:00+02:00"), at("2026-03-29T12:00+03:00"), ALL)
    ]
    assert [to_datetime(c) for c in changes[1:]] == [datetime.fromisoformat("2026-03-29T01:00+03:00")]
    changes = [
        s.from_at for s in autumn.shifts(at("2026-10-24T12:00+03:00"), at("2026-10-25T12:00+02:00"), ALL)
    ]
    assert [to_datetime(c) for c in changes[1:]] == [datetime.fromisoformat("2026-10-24T23:30+03:00")]


def test_in_ramadan_the_handover_follows_moroccos_clock() -> None:
    days = OnCallRota(calendar=CASABLANCA, layers=(layer(1, 2, days=1, start="2026-02-14"),))

    assert days.who(at("2026-02-14T06:59Z"), ALL) is None
    assert days.who(at("2026-02-14T07:00Z"), ALL) == 1
    assert days.who(at("2026-02-15T07:59Z"), ALL) == 1, "one hour back: eight o'clock is 08:00Z"
    assert days.who(at("2026-02-15T08:00Z"), ALL) == 2


def test_the_first_layer_that_has_somebody_counts() -> None:
    nights = layer(3, hours=LocalHours(minutes=(18 * 60, 8 * 60), days="workdays"))
    both = rota(nights, layer(1, 2))

    assert both.who(at("2026-01-07T20:00+02:00"), ALL) == 3
    assert both.who(at("2026-01-07T12:00+02:00"), ALL) == 1
    assert both.who(at("2026-01-10T20:00+02:00"), ALL) == 1, "Saturday"
    assert both.who(at("2026-01-10T07:00+02:00"), ALL) == 3, "the night that began on Friday"


def test_who_has_left_is_stood_in_for_by_the_next() -> None:
    assert rota(layer(1, 2, 3)).who(at("2026-01-12T12:00+02:00"), {1, 3}) == 3
    assert rota(layer(1, 2, 3)).who(at("2026-01-12T12:00+02:00"), set()) is None


def test_the_newest_override_counts_and_shifts_show_all_in_order() -> None:
    overrides = (
        OnCallOverride(
            id=1, person=3, from_at=at("2026-01-06T08:00+02:00"), until_at=at("2026-01-08T08:00+02:00")
        ),
        OnCallOverride(
            id=2, person=2, from_at=at("2026-01-07T08:00+02:00"), until_at=at("2026-01-09T08:00+02:00")
        ),
        OnCallOverride(
            id=3, person=9, from_at=at("2026-01-07T08:00+02:00"), until_at=at("2026-01-09T08:00+02:00")
        ),
    )
    found = rota(layer(1, 2), overrides=overrides)

    shifts = found.shifts(at("2026-01-05T00:00+02:00"), at("2026-01-13T00:00+02:00"), ALL)

    assert [(to_datetime(s.from_at).day, s.person, s.override) for s in shifts] == [
        (4, None, False),
        (5, 1, False),
        (6, 3, True),
        (7, 2, True),
        (9, 1, False),
        (12, 2, False),
    ]
    assert [s.until_at for s in shifts[:-1]] == [s.from_at for s in shifts[1:]]
    assert all(found.who(s.from_at, ALL) == found.who(s.until_at - 1, ALL) == s.person for s in shifts)
