"""The default rules: each finds its fault, and leaves alone what only looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from rules.attributes import Facts
from rules.definition import LANGUAGES
from rules.files import PACKS, default_packs
from rules.program import compile_rule
from tests.unit.rules.readings import KINDS, Evaluator, Reading, at

SQUARE = {"type": "Polygon", "coordinates": [[[13, 32], [14, 32], [14, 33], [13, 33], [13, 32]]]}
FACTS = {1: Facts(attributes={"geofence": SQUARE, "home_lat": 32.5, "home_lon": 13.5}, lat=32.9, lon=13.2)}
"""A device in Tripoli; noon in the tests is noon UTC."""

NIGHT = 10 * 60
"""Minutes after noon at which it is dark there."""


def fired(kind: str, *readings: Reading) -> set[str]:
    """Return the ids of the default rules that fire."""
    text = (PACKS / f"{kind}.yaml").read_text(encoding="utf-8")
    return {t.rule for t in Evaluator(text, KINDS[kind], FACTS).feed(*readings)}


def every(minutes: float, count: int, start: float = 0, **values: Any) -> list[Reading]:
    return [at(start + minutes * i, **values) for i in range(count)]


def flight(count: int = 40, **values: Any) -> list[Reading]:
    """A drone that sprays as it should, unless told otherwise, once a second."""
    usual = {
        "flight_phase": "spraying", "lat": 32.5, "lon": 13.502, "speed_mps": 4.0, "wind_mps": 3.0,
        "battery_pct": 60.0, "flow_lpm": 12.0, "pressure_bar": 2.2, "application_l_ha": 100.0,
        "gnss_fix": 4.0,
    }  # fmt: skip
    return every(1 / 60, count, **{**usual, **values})


def lamp(count: int = 4, start: float = NIGHT, **values: Any) -> list[Reading]:
    """A 90 W lamp at full light by night, unless told otherwise."""
    usual = {"power_w": 90.0, "voltage_v": 230.0, "dim_pct": 100.0, "commanded_dim_pct": 100.0}
    return every(15, count, start, **{**usual, **values})


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (every(10, 3, fill_pct=90), {"bin-overflow"}),
        (every(10, 3, fill_pct=84), set()),
        (every(10, 3, temperature_c=64), set()),
        ([at(0, temperature_c=30), at(1, temperature_c=47)], {"bin-fire"}),
        (every(10, 1, temperature_c=90, marked=("temperature_c",)), {"bin-fire"}),
        ([at(0, temperature_c=46), at(0.02, temperature_c=46.4)], set()),
        ([at(0, temperature_c=-127, marked=("temperature_c",)), at(1, temperature_c=47)], set()),
        (every(5, 4, tilt_deg=85), {"bin-tipped"}),
        ([at(0, tilt_deg=120), at(1, tilt_deg=110), at(2, tilt_deg=1)], set()),
        (every(10, 3, battery_v=3.4, temperature_c=20), {"bin-battery-low"}),
        (every(10, 6, battery_v=3.4, temperature_c=2), set()),
    ],
)
def test_bin_rules_find_the_fault_and_nothing_else(readings: list[Reading], expected: set[str]) -> None:
    assert fired("bin", *readings) == expected


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (lamp(), set()),
        (lamp(power_w=0.8), {"light-lamp-failure"}),
        (lamp(power_w=0.8, voltage_v=0), {"light-under-voltage"}),
        (lamp(power_w=0.8, dim_pct=0, commanded_dim_pct=0), set()),
        (lamp(power_w=32, dim_pct=40, commanded_dim_pct=40), set()),
        (lamp(power_w=20, dim_pct=20), {"light-dimming-failure"}),
        (lamp(count=2, start=0, commanded_dim_pct=0, dim_pct=0), set()),
        (lamp(count=3, start=0, commanded_dim_pct=0, dim_pct=0), {"light-day-burner"}),
        (lamp(voltage_v=256), {"light-over-voltage"}),
        (lamp(voltage_v=200), {"light-under-voltage"}),
        ([*lamp(1, voltage_v=256), *lamp(1, NIGHT + 15, voltage_v=245)], set()),
    ],
)
def test_light_rules_find_the_fault_and_nothing_else(readings: list[Reading], expected: set[str]) -> None:
    assert fired("light", *readings) == expected


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (flight(), set()),
        (flight(battery_pct=8), {"drone-battery-low"}),
        (flight(battery_pct=8, flight_phase="docked"), set()),
        (flight(battery_pct=25, lon=13.54), {"drone-battery-low"}),
        (flight(flow_lpm=5, pressure_bar=4.7), {"drone-clogged-nozzle"}),
        (flight(flow_lpm=5, pressure_bar=1.0), set()),
        (flight(application_l_ha=120), {"drone-wrong-dose"}),
        (flight(15, application_l_ha=120), set()),
        (flight(application_l_ha=120, speed_mps=1.0), set()),
        (flight(5, lon=14.0001, battery_pct=95), {"drone-geofence", "drone-battery-low"}),
        (flight(2, lon=14.0001), set()),
        (flight(5, lat=32.4999, lon=13.5001, gnss_fix=1), set()),
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


def test_default_rules_speak_three_languages_and_say_what_to_do() -> None:
    for definition in default_packs(KINDS):
        assert tuple(definition.summary) == LANGUAGES
        assert tuple(definition.runbook) == LANGUAGES
        assert len(set(definition.summary.values())) == 3


def test_default_rules_show_their_values_in_evidence() -> None:
    text = (PACKS / "light.yaml").read_text(encoding="utf-8")

    (failure,) = Evaluator(text, KINDS["light"], FACTS).feed(*lamp(power_w=0.8))

    assert failure.evidence["values"] == {
        "commanded_dim_pct": 100, "power_w": 0.8, "expected_w": 90, "voltage_v": 230,
    }  # fmt: skip
    assert failure.evidence["limits"] == {"rated_power_w": 90}


def test_rule_of_another_kind_is_refused_by_its_name() -> None:
    from rules.errors import RuleError
    from rules.program import Rule

    overflow = next(d for d in default_packs(KINDS) if d.id == "bin-overflow")

    with pytest.raises(RuleError, match="light measures no fill_pct"):
        compile_rule(KINDS["light"], Rule(definition=overflow, version=1))
