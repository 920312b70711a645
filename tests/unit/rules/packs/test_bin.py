"""The default rules for bins: each finds its fault, and leaves alone what only looks like it."""

from __future__ import annotations

import pytest

from ingest.decide.last_values import LastValues
from ingest.decide.quality import quality
from rules.engine.evaluate import step
from rules.engine.state import RuleState
from rules.loading.files import PACKS
from tests.unit.rules.packs.packs import FACTS, every, fired
from tests.unit.rules.readings import (
    KINDS,
    Evaluator,
    Reading,
    at,
    attributes_for,
    columns_of,
    program_of,
)


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
        (every(10, 4, battery_v=3.4, temperature_c=20), {"bin-battery-low"}),
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


def test_overflow_ends_when_a_blocked_bin_is_turned_over() -> None:
    text = (PACKS / "bin.yaml").read_text(encoding="utf-8")
    full = every(10, 3, fill_pct=90, distance_mm=300)
    turned = every(10, 6, 30, fill_pct=100, distance_mm=201)
    turned[2] = at(50, fill_pct=100, distance_mm=201, tilt_deg=120)
    later = every(10, 3, 300, fill_pct=88, distance_mm=330)

    transitions = Evaluator(text, KINDS["bin"], FACTS).feed(*full, *turned, *later)
    states = [(str(t.from_state), str(t.to_state)) for t in transitions if t.rule == "bin-overflow"]

    assert len([1 for was, now in states if now == "firing" != was]) == 2


def test_battery_of_a_device_that_repeats_a_lone_sag_is_not_low() -> None:
    sound = every(10, 3, battery_v=3.6, temperature_c=20.0, distance_mm=900)
    sag = every(10, 6, 30, battery_v=3.4, temperature_c=20.0, distance_mm=903)
    low = [at(30 + 10 * i, battery_v=3.4, temperature_c=20.0, distance_mm=900 + i % 4) for i in range(4)]

    assert fired("bin", *sound, *sag) == set()
    assert fired("bin", *sound, *low) == {"bin-battery-low"}


@pytest.mark.parametrize(
    ("temperatures", "expected"),
    [
        ([24, 6553.5, 24], set()),
        ([24, 3276.7, 24], set()),
        ([24, 327.67, 24], set()),
        ([24, 255, 24], set()),
        ([24, 85, 24], set()),
        ([24, 1400, 24], set()),
        ([24, -127, -127, 85, -127], set()),
        ([24, 255, 327.67], set()),
        ([24, 85, 85], {"bin-fire"}),
        ([24, 1400, 1400], {"bin-fire"}),
        ([24, 120], {"bin-fire"}),
    ],
)
def test_a_sensors_code_is_no_fire_and_a_true_fire_is_one_at_once(
    temperatures: list[float], expected: set[str]
) -> None:
    readings = [at(10 * i, temperature_c=value, fill_pct=20.0) for i, value in enumerate(temperatures)]
    columns = columns_of(readings)
    columns.quality = quality(columns)
    columns.quality = LastValues(columns.kind).judge(columns)
    text = (PACKS / "bin.yaml").read_text(encoding="utf-8")
    program = program_of(text)

    transitions = step(program, RuleState(program), columns, attributes_for(program, FACTS)).transitions

    assert {t.rule for t in transitions} == expected


def test_a_battery_gauge_that_leaps_is_told_and_a_new_battery_is_not() -> None:
    leaping = [at(10 * i, battery_pct=100.0 * (i % 2)) for i in range(6)]
    changed = [at(10 * i, battery_pct=18.0 if i < 4 else 100.0) for i in range(12)]

    assert fired("bin", *leaping) == {"bin-gauge-fault"}
    assert fired("bin", *changed) == set()


def test_full_bin_that_a_frozen_sensor_wakes_up_to_is_not_blocked() -> None:
    asleep = every(10, 12, fill_pct=40.0, distance_mm=900.0, temperature_c=20.0)
    awake = every(10, 80, 120, fill_pct=100.0, distance_mm=201.0, temperature_c=21.0)

    assert fired("bin", *asleep, *awake) == {"bin-overflow"}
