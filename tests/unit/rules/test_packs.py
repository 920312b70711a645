"""The default rules: each finds its fault, and leaves alone what only looks like it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from devices.kinds.kind import CLOCK_UNSET, UNDATED
from rules.attributes import Facts
from rules.definition import LANGUAGES
from rules.errors import RuleError
from rules.evaluate import step
from rules.files import PACKS, default_packs, parse
from rules.program import Rule, compile_program, compile_rule
from rules.state import State
from tests.unit.rules.readings import KINDS, Evaluator, Reading, at, attributes_for, columns_of

SQUARE = {"type": "Polygon", "coordinates": [[[13, 32], [14, 32], [14, 33], [13, 33], [13, 32]]]}
FACTS = {
    1: Facts(
        attributes={
            "geofence": SQUARE,
            "zone_area": SQUARE,
            "home_lat": 32.5,
            "home_lon": 13.5,
            "tank_capacity_l": 40.0,
        },
        lat=32.9,
        lon=13.2,
    )
}
"""A device in Tripoli; noon in the tests is noon UTC."""

NIGHT = 10 * 60
"""Minutes after noon at which it is dark there."""


def fired(kind: str, *readings: Reading) -> set[str]:
    """Return the ids of the default rules that fire."""
    text = (PACKS / f"{kind}.yaml").read_text(encoding="utf-8")
    return {t.rule for t in Evaluator(text, KINDS[kind], FACTS).feed(*readings)}


def fired_of(
    pack: str,
    kind: str,
    readings: list[Reading],
    lag_s: Callable[[int], float] = lambda i: 1.0,
    quality: int = 0,
) -> set[str]:
    """Return the ids of the rules of another pack that fire on a kind, readings received after a lag."""
    text = (PACKS / f"{pack}.yaml").read_text(encoding="utf-8")
    rules = [Rule(definition=d, version=1) for d in parse(text, KINDS) if d.levels]
    program = compile_program(KINDS[kind], rules)
    columns = columns_of(readings, KINDS[kind])
    columns.quality |= quality
    columns.received_at = columns.observed_at + np.array(
        [round(lag_s(i) * 1e6) for i in range(len(readings))]
    )
    return {t.rule for t in step(program, State(program), columns, attributes_for(program)).transitions}


def every(minutes: float, count: int, start: float = 0, **values: Any) -> list[Reading]:
    return [at(start + minutes * i, **values) for i in range(count)]


def flight(count: int = 40, start: float = 0, **values: Any) -> list[Reading]:
    """A drone that sprays as it should, unless told otherwise, once a second."""
    usual = {
        "flight_phase": "spraying", "lat": 32.5, "lon": 13.502, "speed_mps": 4.0, "wind_mps": 3.0,
        "battery_pct": 60.0, "flow_lpm": 12.0, "pressure_bar": 2.2, "application_l_ha": 100.0,
        "gnss_fix": 4.0, "tank_l": 30.0, "alt_m": 3.0, "cell_spread_v": 0.05, "battery_temperature_c": 35.0,
    }  # fmt: skip
    return every(1 / 60, count, start, **{**usual, **values})


def lamp(count: int = 4, start: float = NIGHT, **values: Any) -> list[Reading]:
    """A 90 W lamp at full light by night, unless told otherwise."""
    usual = {
        "power_w": 90.0, "voltage_v": 230.0, "dim_pct": 100.0, "commanded_dim_pct": 100.0,
        "power_factor": 0.97, "driver_temperature_c": 50.0, "tilt_deg": 1.0, "burn_hours": 3000.0,
    }  # fmt: skip
    return every(15, count, start, **{**usual, **values})


def burning_by_day(count: int = 4) -> list[Reading]:
    """A lamp that is lit at noon, and whose power varies as real power does."""
    return [
        r for i in range(count) for r in lamp(1, 15 * i, power_w=90 + i / 10, commanded_dim_pct=0, dim_pct=0)
    ]


def blinking(times: int) -> list[Reading]:
    """A lamp that goes on or off so many times in half an hour."""
    return [
        reading for i in range(times + 1) for reading in lamp(1, NIGHT + 4 * i, power_w=90.0 * (i % 2 == 0))
    ]


def nights(lost: float, since: int) -> list[Reading]:
    """Fifteen nights of a lamp dimmed at midnight that lost a share of its light one night."""
    found = []
    for night in range(15):
        for quarter in range(32):
            level = 100.0 if quarter < 12 else 40.0
            power = 90 * (0.07 + 0.93 * level / 100 * (1 - lost * (night >= since)))
            start = NIGHT + 1440 * night + 15 * quarter
            found += lamp(1, start, power_w=power, dim_pct=level, commanded_dim_pct=level, power_factor=None)
        found += lamp(1, NIGHT + 1440 * night + 720, power_w=0.5, dim_pct=0.0, commanded_dim_pct=0.0)
    return found


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
        (every(60, 4, lat=32.9005, lon=13.2), {"bin-moved"}),
        (every(60, 4, lat=32.9001, lon=13.2), set()),
        ([*every(60, 1, lat=32.9005, lon=13.2), *every(60, 4, 60, lat=32.9, lon=13.2)], set()),
        (every(10, 73 * 6, distance_mm=900), {"bin-sensor-frozen"}),
        (every(10, 71 * 6, distance_mm=900), set()),
        ([at(10 * i, distance_mm=900 + 7 * (i % 2)) for i in range(73 * 6)], set()),
        ([at(-10, distance_mm=900), *every(10, 80, distance_mm=201)], {"bin-sensor-blocked"}),
        (
            [at(-10, fill_pct=30, distance_mm=900), *every(10, 80, fill_pct=100, distance_mm=201)],
            {"bin-sensor-blocked"},
        ),
        (
            [at(10 * i, fill_pct=min(100, i), distance_mm=max(200, 1000 - 8 * i)) for i in range(120)],
            {"bin-overflow"},
        ),
        ([at(10 * i, distance_mm=max(200, 1000 - 10 * i)) for i in range(200)], set()),
        (
            [
                at(10 * i, distance_mm=max(200, 300 - 10 * i), tilt_deg=120 if i == 20 else 2)
                for i in range(100)
            ],
            {"bin-sensor-blocked"},
        ),
        (
            [at(360 * i, battery_v=3.6, battery_pct=45 - i / 4, temperature_c=20) for i in range(64)],
            {"bin-battery-low"},
        ),
        ([at(360 * i, battery_v=3.6, battery_pct=45 - i / 99, temperature_c=20) for i in range(64)], set()),
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
        (burning_by_day(), {"light-day-burner"}),
        (lamp(count=8, start=0), set()),
        (lamp(power_w=0.8, dim_pct=8), {"light-dimming-failure", "light-lamp-failure"}),
        (lamp(power_w=9, dim_pct=8), {"light-dimming-failure"}),
        (lamp(power_w=0.8, dim_pct=0), {"light-lamp-failure"}),
        (lamp(voltage_v=256), {"light-over-voltage"}),
        (lamp(voltage_v=200), {"light-under-voltage"}),
        ([*lamp(1, voltage_v=256), *lamp(1, NIGHT + 15, voltage_v=245)], set()),
        (lamp(6, power_factor=0.88), {"light-low-power-factor"}),
        (lamp(6, power_factor=0.82, dim_pct=40, commanded_dim_pct=40, power_w=36), set()),
        (lamp(driver_temperature_c=90), {"light-high-temperature"}),
        ([*lamp(1), *lamp(1, NIGHT + 15, tilt_deg=12)], {"light-pole-hit"}),
        ([*lamp(1), *lamp(1, NIGHT + 15, tilt_deg=3)], set()),
        (lamp(1, burn_hours=50_001.0), {"light-end-of-life"}),
        (blinking(7), {"light-cycling"}),
        (blinking(6), set()),
        (nights(lost=0.3, since=12), {"light-partial-failure"}),
        (nights(lost=0.3, since=14), set()),
        (nights(lost=0.1, since=12), set()),
    ],
)
def test_light_rules_find_the_fault_and_nothing_else(readings: list[Reading], expected: set[str]) -> None:
    assert fired("light", *readings) == expected


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


def test_overflow_ends_when_a_blocked_bin_is_turned_over() -> None:
    text = (PACKS / "bin.yaml").read_text(encoding="utf-8")
    full = every(10, 3, fill_pct=90, distance_mm=300)
    turned = every(10, 6, 30, fill_pct=100, distance_mm=201)
    turned[2] = at(50, fill_pct=100, distance_mm=201, tilt_deg=120)
    later = every(10, 3, 300, fill_pct=88, distance_mm=330)

    transitions = Evaluator(text, KINDS["bin"], FACTS).feed(*full, *turned, *later)
    states = [(str(t.from_state), str(t.to_state)) for t in transitions if t.rule == "bin-overflow"]

    assert len([1 for was, now in states if now == "firing" != was]) == 2


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


@pytest.mark.parametrize("kind", ["bin", "light", "drone"])
def test_rules_for_any_kind_judge_every_kind(kind: str) -> None:
    values = {m.name: 5.0 for m in KINDS[kind].measurements if m.type == "number"}

    assert fired_of("any", kind, every(1, 1441, **values)) == {"frozen-values"}
    assert fired_of("any", kind, every(1, 1000, **values)) == set()


def test_clock_that_is_behind_is_told_from_a_slow_network() -> None:
    steady = every(10, 60, fill_pct=10)
    jumpy = [at(10 * i, fill_pct=10) for i in range(60)]

    assert fired_of("any", "bin", steady, lag_s=lambda i: 3600.0) == {"clock-wrong"}
    assert fired_of("any", "bin", jumpy, lag_s=lambda i: 600.0 + 60 * (i % 9)) == set()
    assert fired_of("any", "bin", steady, lag_s=lambda i: 2.0) == set()


def test_clock_that_was_never_set_is_told_from_a_device_without_a_clock() -> None:
    assert fired_of("any", "bin", every(10, 3, fill_pct=10), quality=UNDATED | CLOCK_UNSET) == {"clock-wrong"}
    assert fired_of("any", "bin", every(10, 3, fill_pct=10), quality=UNDATED) == set()


def test_battery_of_a_device_that_repeats_a_lone_sag_is_not_low() -> None:
    sound = every(10, 3, battery_v=3.6, temperature_c=20.0, distance_mm=900)
    sag = every(10, 6, 30, battery_v=3.4, temperature_c=20.0, distance_mm=903)
    low = [at(30 + 10 * i, battery_v=3.4, temperature_c=20.0, distance_mm=900 + i % 4) for i in range(4)]

    assert fired("bin", *sound, *sag) == set()
    assert fired("bin", *sound, *low) == {"bin-battery-low"}


def test_lamp_that_comes_back_again_and_again_has_not_failed() -> None:
    seen = ((0, 90), (6, 1), (9, 90), (15, 1), (18, 90), (24, 1), (31, 1), (33, 90))
    blinking = [r for minute, watts in seen for r in lamp(1, NIGHT + minute, power_w=float(watts))]

    assert fired("light", *blinking) == set()
    assert fired("light", *blinking[:1], *blinking[5:7]) == {"light-lamp-failure"}


def test_full_bin_that_a_frozen_sensor_wakes_up_to_is_not_blocked() -> None:
    asleep = every(10, 12, fill_pct=40.0, distance_mm=900.0, temperature_c=20.0)
    awake = every(10, 80, 120, fill_pct=100.0, distance_mm=201.0, temperature_c=21.0)

    assert fired("bin", *asleep, *awake) == {"bin-overflow"}


def test_dusk_and_steps_of_the_schedule_are_no_cycling() -> None:
    """Six unwanted changes in half an hour, and one that was wanted."""
    dusk = lamp(1, NIGHT, power_w=1.0, commanded_dim_pct=0.0, dim_pct=0.0)
    blinks = [r for i in range(7) for r in lamp(1, NIGHT + 3 + 4 * i, power_w=1.0 if i % 2 else 90.0)]
    step = [r for i in range(7) for r in lamp(1, NIGHT + 3 + 4 * i, power_w=1.0 if i % 2 else 45.0)]
    brighter = lamp(1, NIGHT + 29, power_w=90.0)

    assert fired("light", *dusk, *blinks) == set()
    assert fired("light", *step, *brighter) == set()
    assert fired("light", *blinks, *lamp(1, NIGHT + 31, power_w=1.0)) == {"light-cycling"}


def test_normal_power_of_a_lamp_is_not_learned_while_it_is_dark() -> None:
    found: list[Reading] = []
    for night in range(16):
        for quarter in range(32):
            watts = 2.0 if night < 8 else 90.0
            found += lamp(1, NIGHT + 1440 * night + 15 * quarter, power_w=watts, power_factor=None)
        found += lamp(1, NIGHT + 1440 * night + 720, power_w=0.5, dim_pct=0.0, commanded_dim_pct=0.0)

    assert fired("light", *found) == {"light-lamp-failure"}


def test_second_wrong_dose_is_told_when_the_first_was_put_right() -> None:
    text = (PACKS / "drone.yaml").read_text(encoding="utf-8")
    doses = (*[130.0] * 30, *[100.0] * 12, *[130.0] * 30)
    rows = [r for s, dose in enumerate(doses) for r in flight(1, s / 60, application_l_ha=dose)]

    transitions = Evaluator(text, KINDS["drone"], FACTS).feed(*rows)

    assert [str(t.to_state) for t in transitions] == ["firing", "resolved", "firing"]


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
        "dim_pct": 100, "relit": 0, "delta(power_w)": 0, "returns": 0, "n_of(relit, 2, '1h')": None,
    }  # fmt: skip
    assert failure.evidence["limits"] == {"rated_power_w": 90}


def test_rule_of_another_kind_is_refused_by_its_name() -> None:
    overflow = next(d for d in default_packs(KINDS) if d.id == "bin-overflow")

    with pytest.raises(RuleError, match="light measures no distance_mm"):
        compile_rule(KINDS["light"], Rule(definition=overflow, version=1))
