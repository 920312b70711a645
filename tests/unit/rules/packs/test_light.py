"""The default rules for lights: each finds its fault, and leaves alone what only looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.decide.last_values import LastValues
from ingest.decide.quality import quality
from rules.engine.evaluate import step
from rules.engine.state import RuleState
from rules.loading.files import PACKS
from tests.unit.rules.packs.packs import FACTS, NIGHT, every, fired
from tests.unit.rules.readings import (
    KINDS,
    Evaluator,
    Reading,
    attributes_for,
    columns_of,
    program_of,
)

LIGHT = KINDS["light"]


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


def test_lamp_that_comes_back_again_and_again_has_not_failed() -> None:
    seen = ((0, 90), (6, 1), (9, 90), (15, 1), (18, 90), (24, 1), (31, 1), (33, 90))
    blinking = [r for minute, watts in seen for r in lamp(1, NIGHT + minute, power_w=float(watts))]

    assert fired("light", *blinking) == set()
    assert fired("light", *blinking[:1], *blinking[5:7]) == {"light-lamp-failure"}


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


def test_default_rules_show_their_values_in_evidence() -> None:
    text = (PACKS / "light.yaml").read_text(encoding="utf-8")

    (failure,) = Evaluator(text, KINDS["light"], FACTS).feed(*lamp(power_w=0.8))

    shown = failure.evidence["values"]
    assert (shown["power_w"], shown["expected_w"], shown["dark_w"], shown["voltage_v"]) == (0.8, 90, 18, 230)
    assert (shown["returns"], shown["relit"], shown["meter_contradicts"]) == (False, False, False)
    assert not [name for name in shown if name.startswith(("last(", "curve(", "rate("))]
    assert failure.evidence["limits"]["rated_power_w"] == 90


def test_lamp_that_was_lit_in_between_was_not_dark_for_all_that_time() -> None:
    seen = ((-57, 30), (-56, 100), (-15, 100), (0, 0.8), (2, 100), (6, 0.8), (8, 100))

    stepped = [r for minute, watts in seen for r in lamp(1, NIGHT + minute, power_w=float(watts))]

    assert fired("light", *stepped) == set()


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("burn_hours", [10_800_000.0 + 900 * i for i in range(6)], {"light-hours-too-fast"}),
        ("burn_hours", [60_000.0 + 900 * i for i in range(6)], {"light-end-of-life", "light-hours-too-fast"}),
        ("burn_hours", [3000.0 + 0.25 * i for i in range(6)], set()),
        ("energy_kwh", [1_204_000.0 + 22 * i for i in range(6)], {"light-energy-too-fast"}),
        ("energy_kwh", [12_040.0 + 22 * i for i in range(6)], {"light-energy-too-fast"}),
        ("energy_kwh", [1204.0 + 0.022 * i for i in range(6)], set()),
        ("energy_kwh", [1204.0, 1204.1, 0.1, 0.2, 0.3], set()),
    ],
)
def test_a_counter_faster_than_time_is_told_with_the_unit_it_may_be_in(
    name: str, values: list[float], expected: set[str]
) -> None:
    readings = [lamp(1, NIGHT + 15 * i, **{name: v})[0] for i, v in enumerate(values)]

    assert {rule for rule, state in counted(readings) if state == "firing"} == expected


def test_energy_in_watt_hours_is_told_once_though_the_lamp_rests_by_day() -> None:
    """At rest half a watt-hour an hour is no more than a lamp may draw; what is mended falls."""
    night, day = (
        {"power_w": w, "dim_pct": p, "commanded_dim_pct": p} for w, p in ((90.0, 100.0), (0.5, 0.0))
    )
    wrong = [lamp(1, NIGHT + 15 * i, energy_kwh=204_000.0 + 22.5 * i, **night)[0] for i in range(8)]
    wrong += [lamp(1, NIGHT + 360 * i, energy_kwh=204_200.0 + 3 * i, **day)[0] for i in (1, 2, 3)]
    # Told to light, it reports at once: nothing could have been counted yet.
    dusk = [lamp(1, NIGHT + 1430 + i, energy_kwh=204_210.0 + 1.5 * i, **night)[0] for i in (0, 1)]
    wrong += [
        *dusk,
        *(lamp(1, NIGHT + 1440 + 15 * i, energy_kwh=204_220.0 + 22.5 * i, **night)[0] for i in range(6)),
    ]
    mended = [lamp(1, NIGHT + 1800 + 360 * i, energy_kwh=204.4, **day)[0] for i in range(3)]

    assert counted(wrong) == [("light-energy-too-fast", "firing")]
    assert counted([*wrong, *mended])[1:] == [("light-energy-too-fast", "resolved")]


def counted(readings: list[Reading]) -> list[tuple[str, str]]:
    """Return the rules whose alerts opened or ended, and which of both."""
    columns = columns_of(readings, LIGHT)
    columns.quality = quality(columns)
    columns.quality = LastValues(LIGHT).judge(columns)
    program = program_of((PACKS / "light.yaml").read_text(encoding="utf-8"), LIGHT)
    made = step(program, RuleState(program), columns, attributes_for(program, FACTS)).transitions
    return [(t.rule, t.to_state) for t in made]


def test_dark_lamp_is_told_without_knowing_what_it_was_told() -> None:
    assert fired("light", *lamp(power_w=1.0, commanded_dim_pct=None)) == {"light-lamp-failure"}
    assert fired("light", *lamp(power_w=1.0, commanded_dim_pct=None, dim_pct=None)) == {"light-lamp-failure"}
    assert fired("light", *lamp(power_w=1.0, commanded_dim_pct=None, dim_pct=0)) == set()
