"""Levels that are not power, limits that are shares, and meters that cannot be believed."""

from __future__ import annotations

from typing import Any

import pytest

from rules.context.attributes import Facts
from rules.loading.files import PACKS
from tests.unit.rules.packs.packs import NIGHT
from tests.unit.rules.packs.test_light import lamp
from tests.unit.rules.readings import KINDS, Evaluator, Reading

TEXT = (PACKS / "light.yaml").read_text(encoding="utf-8")


def opened(readings: list[Reading], **attributes: Any) -> set[str]:
    facts = {1: Facts(attributes=attributes, lat=32.9, lon=13.2)}
    return {t.rule for t in Evaluator(TEXT, KINDS["light"], facts).feed(*readings) if t.opens}


def level(pct: float, watts: float, count: int = 4, start: float = NIGHT, **values: Any) -> list[Reading]:
    """A lamp at one level; its power factor is not told."""
    given = {"dim_pct": pct, "commanded_dim_pct": pct, "power_w": watts, "power_factor": None}
    return lamp(count, start, **{**given, **values})


def night(start: float, half_w: float, full_w: float = 90.0) -> list[Reading]:
    """Two hours at full light, three at half of the levels."""
    return [*level(100, full_w, 8, start), *level(50, half_w, 12, start + 120)]


def test_logarithmic_lamp_at_half_of_its_levels_is_not_dark() -> None:
    assert opened([r for n in range(6) for r in night(NIGHT + 1440 * n, 5.4)]) == set()
    assert opened(level(50, 5.4), logarithmic_dimming=True) == set()


def test_logarithmic_lamp_that_fails_is_told() -> None:
    lit = night(NIGHT, 5.4)

    assert opened([*lit, *level(50, 1.1, start=NIGHT + 300)]) == {"light-lamp-failure"}
    assert opened([*lit, *level(100, 1.1, start=NIGHT + 300)]) == {"light-lamp-failure"}


@pytest.mark.parametrize("watts", [0.6, 2.0, 5.0, 8.0])
def test_linear_lamp_that_fails_at_half_of_its_levels_is_told(watts: float) -> None:
    lit = night(NIGHT, 48.0)

    assert opened([*lit, *level(50, watts, start=NIGHT + 300)]) == {"light-lamp-failure"}
    assert opened(level(50, watts), logarithmic_dimming=False) == {"light-lamp-failure"}


def test_lamp_that_fails_before_its_scale_is_known_stays_failed_at_lower_levels() -> None:
    told = Evaluator(TEXT, KINDS["light"], {1: Facts(attributes={})}).feed(
        *level(100, 5.0, 4), *level(50, 5.0, 12, NIGHT + 60), *level(100, 5.0, 4, NIGHT + 240)
    )

    assert [(t.rule, t.opens) for t in told] == [("light-lamp-failure", True)]


def test_declared_power_curve_decides() -> None:
    curve = "0:0.03 50:0.2 100:1"

    assert opened(level(50, 17.0), power_curve=curve) == set()
    assert opened(level(50, 3.0), power_curve=curve) == {"light-lamp-failure"}


def test_lamp_that_is_dimmed_in_daylight_is_told_as_one_at_full_light() -> None:
    dimmed = [r for i in range(4) for r in level(20, 20 + i / 10, 1, 15 * i)]

    assert opened(dimmed) == {"light-day-burner"}
    assert opened(level(0, 1.9, 4, 0)) == set()


def test_voltage_is_judged_by_its_nominal_value() -> None:
    assert opened(lamp(voltage_v=120.0), nominal_v=120.0) == set()
    assert opened(lamp(voltage_v=104.0), nominal_v=120.0) == {"light-under-voltage"}
    assert opened(lamp(voltage_v=240.0)) == set()
    assert opened(lamp(voltage_v=240.0), over_voltage_v=235.0) == {"light-over-voltage"}


def test_meter_that_reads_nothing_while_current_flows_is_at_fault_and_not_the_lamp() -> None:
    rising = [
        r
        for i in range(6)
        for r in level(100, 0.0, 1, NIGHT + 15 * i, current_a=0.52, energy_kwh=900 + 0.03 * i)
    ]

    assert opened(rising, rated_power_w=120.0) == {"light-meter-fault"}


def test_meter_that_reads_nothing_while_energy_rises_is_at_fault() -> None:
    rising = [r for i in range(6) for r in level(100, 0.0, 1, NIGHT + 15 * i, energy_kwh=900 + 0.022 * i)]
    failed = [
        *level(100, 90.0, 1, NIGHT - 15, energy_kwh=899.98),
        *level(100, 0.0, 6, NIGHT, energy_kwh=900.0),
    ]

    assert "light-meter-fault" in opened(rising)
    assert opened(failed) == {"light-lamp-failure"}


def test_lamp_below_what_its_meter_can_tell_is_not_dark() -> None:
    assert opened(level(10, 0.0, lux=4.0), rated_power_w=20.0) == set()
    assert opened(level(10, 0.0), rated_power_w=20.0, power_w_floor=0.1) == {"light-lamp-failure"}
    assert opened(level(100, 0.0), rated_power_w=20.0) == {"light-lamp-failure"}


def test_logarithmic_lamp_whose_driver_is_stuck_low_is_not_dark() -> None:
    stuck = level(60, 2.9, start=NIGHT + 300, dim_pct=22.0)

    assert opened([*night(NIGHT, 5.4), *stuck], rated_power_w=90.0) == {"light-dimming-failure"}


def test_meter_that_has_nothing_to_measure_by_day_is_not_right_again() -> None:
    lit = [r for i in range(6) for r in level(100, 0.0, 1, NIGHT + 15 * i, current_a=0.4)]
    told = Evaluator(TEXT, KINDS["light"], {1: Facts(attributes={}, lat=32.9, lon=13.2)}).feed(
        *lit,
        *level(0, 0.0, 6, NIGHT + 480, current_a=0.01),
        *level(100, 90.0, 3, NIGHT + 1440, current_a=0.4),
    )

    assert [(t.rule, t.opens) for t in told] == [("light-meter-fault", True), ("light-meter-fault", False)]
