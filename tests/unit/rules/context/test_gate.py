"""When rules look: local time past midnight, weekends, the sun, and what nobody can tell."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from astral import Observer
from astral.sun import elevation
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.instants import to_datetime, to_microseconds
from devices.time_zones import zone_named
from rules.context.gate import GatePart, judge_gate, judge_parts, rests_in_maintenance
from rules.context.local_time import PlaceColumns
from rules.context.sun import HORIZON_DEG
from rules.definition.definition import Gate

ZONES = ("Africa/Tripoli", "Asia/Beirut", "Europe/Paris", "UTC")
SPAN = Gate(local_from_min=22 * 60, local_to_min=6 * 60)
TRIPOLI = (32.9, 13.2)


def looks(
    gate: Gate,
    moment: str,
    *,
    zone: str = "UTC",
    weekend: tuple[int, ...] = (6, 7),
    place: tuple[float, float] | tuple[None, None] = TRIPOLI,
) -> bool | None:
    """Tell whether a gate is open at a moment (UTC) in one place; None: undecided."""
    lat, lon = place
    instant = to_microseconds(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    (truth,) = judge_gate(gate, PlaceColumns.of([zone], [weekend], [lat], [lon]).at(instant))
    return None if np.isnan(truth) else bool(truth)


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-03-02T21:59", False),
        ("2026-03-02T22:00", True),
        ("2026-03-03T05:59", True),
        ("2026-03-03T06:00", False),
    ],
)
def test_span_past_midnight_includes_its_beginning_and_not_its_end(moment: str, inside: bool) -> None:
    assert looks(SPAN, moment) is inside


def test_local_time_is_the_municipalitys_and_follows_daylight_saving() -> None:
    assert looks(SPAN, "2026-03-02T20:30", zone="Africa/Tripoli") is True
    assert looks(SPAN, "2026-01-15T20:30", zone="Europe/Paris") is False
    assert looks(SPAN, "2026-07-15T20:30", zone="Europe/Paris") is True


def test_weekend_is_the_municipalitys_and_begins_at_local_midnight() -> None:
    gate = Gate(days="weekend")

    assert looks(gate, "2026-03-06T12:00", weekend=(5, 6)) is True, "a Friday in Libya"
    assert looks(gate, "2026-03-06T12:00") is False
    assert looks(gate, "2026-03-05T23:00", zone="Africa/Tripoli", weekend=(5, 6)) is True
    assert looks(Gate(days="workdays"), "2026-03-06T12:00", weekend=(5, 6)) is False


def test_sun_is_undecided_where_nobody_knows_the_place() -> None:
    for sun in ("day", "night"):
        gate = Gate(sun=sun)
        assert looks(gate, "2026-03-06T12:00", place=(None, None)) is None
    assert looks(Gate(sun="day"), "2026-03-06T12:00") is True
    assert looks(Gate(sun="night"), "2026-03-06T12:00") is False


def test_gate_that_is_closed_by_the_clock_is_closed_wherever_the_sun_stands() -> None:
    gate = Gate(local_from_min=0, local_to_min=60, sun="day")

    assert looks(gate, "2026-03-06T12:00", place=(None, None)) is False
    assert looks(gate, "2026-03-06T00:30", place=(None, None)) is None


def test_only_the_parts_that_a_gate_has_are_judged() -> None:
    at = PlaceColumns.of(["UTC"], [(6, 7)], [None], [None]).at(0)

    assert set(judge_parts(SPAN, at)) == {GatePart.LOCAL_TIME}
    assert judge_parts(Gate(condition="fill_pct > 1"), at) == {}
    assert judge_gate(Gate(), at).tolist() == [1.0]


def test_rule_rests_in_maintenance_unless_it_says_otherwise() -> None:
    assert rests_in_maintenance(None)
    assert rests_in_maintenance(Gate())
    assert not rests_in_maintenance(Gate(maintenance="look"))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1_700_000_000, 1_800_000_000),
            st.sampled_from(ZONES),
            st.sets(st.integers(1, 7)),
            st.floats(-60, 60),
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(0, 1439),
    st.integers(0, 1439),
)
def test_columns_say_what_clocks_and_calendars_say_one_by_one(
    rows: list[tuple[int, str, set[int], float]], start: int, end: int
) -> None:
    places = PlaceColumns.of(
        [zone for _, zone, _, _ in rows],
        [sorted(weekend) for _, _, weekend, _ in rows],
        [lat for _, _, _, lat in rows],
        [13.2] * len(rows),
    )
    gate = Gate(local_from_min=start, local_to_min=end, days="weekend", sun="day")

    for row, (second, zone, weekend, lat) in enumerate(rows):
        local = to_datetime(second * 1_000_000).astimezone(zone_named(zone))
        parts = judge_parts(gate, places.at(second * 1_000_000))
        minute = local.hour * 60 + local.minute
        within = start <= minute < end if start <= end else minute >= start or minute < end
        assert parts[GatePart.LOCAL_TIME][row] == within
        assert parts[GatePart.DAYS][row] == (local.isoweekday() in weekend)
        degrees = elevation(Observer(lat, 13.2), local, with_refraction=False)
        if abs(degrees - HORIZON_DEG) > 0.1:
            assert parts[GatePart.SUN][row] == (degrees > HORIZON_DEG)
