"""The default rules for drones: each finds its fault, and leaves alone what only looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from rules.context.attributes import Facts
from rules.loading.files import PACKS
from tests.unit.rules.packs.packs import FACTS, every, fired
from tests.unit.rules.readings import KINDS, Evaluator, Reading, at


def flight(count: int = 40, start: float = 0, **values: Any) -> list[Reading]:
    """A drone that sprays as it should, unless told otherwise, once a second."""
    usual = {
        "flight_phase": "spraying", "lat": 32.5, "lon": 13.502, "speed_mps": 4.0, "wind_mps": 3.0,
        "battery_pct": 60.0, "flow_lpm": 12.0, "pressure_bar": 2.2, "application_l_ha": 100.0,
        "gnss_fix": 4.0, "tank_l": 30.0, "alt_m": 3.0, "cell_spread_v": 0.05, "battery_temperature_c": 35.0,
    }  # fmt: skip
    return every(1 / 60, count, start, **{**usual, **values})


def leaking(lpm: float, seconds: int = 120) -> list[Reading]:
    """A flight whose tank loses more than goes through the flow meter, with waves in the tank."""
    waves = (0.1, -0.12, 0.05, 0.0, -0.04, 0.08, -0.1)
    return [
        reading
        for s in range(seconds)
        for reading in flight(1, tank_l=36 - (12 + lpm) * s / 60 + waves[s % 7], start=s / 60)
    ]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (flight(), set()),
        (flight(battery_pct=7.5, tank_l=40.0), {"drone-battery-low"}),
        (flight(battery_pct=7.5, tank_l=2.0), set()),
        (flight(battery_pct=7.5, tank_l=2.0, alt_m=30.0), {"drone-battery-low"}),
        (flight(battery_pct=7.5, flight_phase="docked"), set()),
        (flight(battery_pct=25, lon=13.54), {"drone-battery-low"}),
        (flight(flow_lpm=5, pressure_bar=4.7), {"drone-clogged-nozzle"}),
        (flight(flow_lpm=5, pressure_bar=1.0), set()),
        (flight(application_l_ha=120), {"drone-wrong-dose"}),
        (flight(15, application_l_ha=120), set()),
        (flight(application_l_ha=120, speed_mps=1.0), set()),
        (flight(3, lon=14.0001, battery_pct=95), {"drone-geofence", "drone-battery-low"}),
        (flight(cell_spread_v=0.2), set()),
        (flight(cell_spread_v=0.35), {"drone-cell-imbalance"}),
        (every(1, 3, flight_phase="docked", cell_spread_v=0.12), {"drone-cell-imbalance"}),
        (flight(battery_temperature_c=63), {"drone-hot-battery"}),
        (leaking(2.0), {"drone-leak"}),
        (leaking(0.1), set()),
        (flight(flow_lpm=0.1, pressure_bar=0.0, application_l_ha=None), {"drone-pump-failure"}),
        (flight(flow_lpm=0.1, pressure_bar=0.0, application_l_ha=None, tank_l=0.3), set()),
        (flight(flow_lpm=0.1, pressure_bar=0.0, application_l_ha=None, speed_mps=0.5), set()),
        (flight(alt_m=33), {"drone-altitude"}),
        (flight(gnss_fix=2), {"drone-poor-fix"}),
        ([*flight(5), *flight(1, 5 / 60, gnss_fix=2), *flight(5, 6 / 60)], set()),
        (flight(2, lon=14.0001), set()),
        (flight(5, lat=32.4999, lon=13.5001, gnss_fix=1), {"drone-poor-fix"}),
        (flight(2, lat=33.1, gnss_fix=1), set()),
    ],
)
def test_drone_rules_find_the_fault_and_nothing_else(readings: list[Reading], expected: set[str]) -> None:
    assert fired("drone", *readings) == expected


def test_dose_is_still_wrong_when_the_aircraft_turns_between_two_rows() -> None:
    rows = [
        at(s / 60, flight_phase="spraying", application_l_ha=130, speed_mps=1.0 if 10 <= s < 14 else 4.0)
        for s in range(30)
    ]

    assert fired("drone", *rows) == {"drone-wrong-dose"}


def test_wrong_dose_ends_when_the_aircraft_lands_a_moment_after_spraying() -> None:
    text = (PACKS / "drone.yaml").read_text(encoding="utf-8")
    docked = [at(1 + i, flight_phase="docked", speed_mps=0.0, application_l_ha=None) for i in range(3)]

    transitions = Evaluator(text, KINDS["drone"], FACTS).feed(*flight(40, application_l_ha=130), *docked)

    assert [(t.rule, str(t.to_state)) for t in transitions] == [
        ("drone-wrong-dose", "firing"),
        ("drone-wrong-dose", "resolved"),
    ]


def test_spraying_outside_the_zone_is_told_inside_the_fence_too() -> None:
    small = {"type": "Polygon", "coordinates": [[[13, 32], [13.5, 32], [13.5, 33], [13, 33], [13, 32]]]}
    attributes = {**FACTS[1].attributes, "zone_area": small}
    text = (PACKS / "drone.yaml").read_text(encoding="utf-8")

    transitions = Evaluator(text, KINDS["drone"], {1: Facts(attributes=attributes)}).feed(*flight(8))

    assert [t.rule for t in transitions] == ["drone-off-target"]


def test_second_wrong_dose_is_told_when_the_first_was_put_right() -> None:
    text = (PACKS / "drone.yaml").read_text(encoding="utf-8")
    doses = (*[130.0] * 30, *[100.0] * 12, *[130.0] * 30)
    rows = [r for s, dose in enumerate(doses) for r in flight(1, s / 60, application_l_ha=dose)]

    transitions = Evaluator(text, KINDS["drone"], FACTS).feed(*rows)

    assert [str(t.to_state) for t in transitions] == ["firing", "resolved", "firing"]


def test_a_gauge_that_leaps_in_flight_is_told_and_a_pack_that_is_swapped_is_not() -> None:
    leaping = [r for s in range(10) for r in flight(1, s / 60, battery_pct=100.0 * (s % 2))]
    swapped = [
        *flight(20, battery_pct=41.0),
        *every(1, 3, 1, flight_phase="docked", battery_pct=40.0),
        *every(1, 1, 4, flight_phase="docked", battery_pct=0.0),
        *every(1, 9, 5, flight_phase="docked", battery_pct=100.0),
        *flight(20, 14, battery_pct=99.0),
    ]

    assert "drone-gauge-fault" in fired("drone", *leaping)
    assert fired("drone", *swapped) == set()
