"""When a lamp burns, and what that costs."""

from __future__ import annotations

import pytest

from firmware_sim.physics.grid import Circuit
from firmware_sim.physics.light import Light
from firmware_sim.physics.model import SECOND
from firmware_sim.physics.sun import elevation_deg
from tests.unit.firmware_sim.build import LAT, LON, MIDNIGHT, NOON, at, live, make_light


def number(light: Light, name: str) -> float:
    value = light.measure()[name]
    assert isinstance(value, float)
    return value


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2026-06-21 09:36", 79.0),  # solar noon at midsummer: 90 - latitude + 23.44
        ("2026-12-21 09:35", 32.1),
        ("2026-03-20 21:45", -55.6),
    ],
)
def test_sun_stands_where_the_almanac_says(instant: str, expected: float) -> None:
    assert elevation_deg(at(instant), LAT, LON) == pytest.approx(expected, abs=0.6)


def test_lamp_draws_power_only_when_lit() -> None:
    day, night = make_light(), make_light()

    day.step(NOON)
    night.step(MIDNIGHT)

    assert number(day, "power_w") < 2.0
    assert number(night, "power_w") == pytest.approx(100.0, rel=0.05)


def test_lamp_with_dead_leds_stays_dark_though_commanded() -> None:
    light = make_light()
    light.begin("open_led")

    light.step(MIDNIGHT)

    assert number(light, "commanded_dim_pct") == 100.0
    assert number(light, "power_w") < 2.0
    assert light.truth()["light-lamp-failure"].holds


def test_lamp_dims_by_schedule_and_its_power_factor_falls() -> None:
    evening, small_hours = make_light(), make_light()
    evening.step(at("2026-06-15 19:00"))
    small_hours.step(at("2026-06-15 23:30"))  # 02:30 in Beirut

    assert number(small_hours, "dim_pct") == 40.0
    assert number(small_hours, "power_w") < 0.5 * number(evening, "power_w")
    assert number(small_hours, "power_factor") < number(evening, "power_factor")


@pytest.mark.parametrize("cause", ["welded_relay", "blind_photocell"])
def test_lamp_burns_by_day_when_its_switch_fails(cause: str) -> None:
    light = make_light()
    light.begin(cause)

    light.step(NOON)

    assert number(light, "power_w") > 90.0
    assert light.truth()["light-day-burner"].holds


def test_lamp_counters_only_climb() -> None:
    light = make_light()
    energies = []
    for hour in range(25):
        light.step(MIDNIGHT + hour * 3600 * SECOND)
        energies.append(light.energy_kwh)

    assert energies == sorted(energies)
    assert energies[-1] - energies[0] > 0.4
    assert 5.0 < light.burn_hours - 1000.0 < 14.0


def test_lamps_of_one_circuit_feel_the_same_mains() -> None:
    a, b = Circuit("C1", 1, LON), Circuit("C1", 1, LON)

    assert a.voltage_v(NOON) == b.voltage_v(NOON)
    assert all(215.0 < a.voltage_v(NOON + h * 3600 * SECOND) < 245.0 for h in range(24))


def test_lamp_with_a_loose_neutral_reports_over_voltage_at_once() -> None:
    light = make_light()
    live(light, NOON, 60)
    light.begin("loose_neutral_high")

    assert light.step(NOON + 70 * SECOND)
    assert number(light, "voltage_v") > 253.0
    assert light.truth()["light-over-voltage"].holds


def test_lamp_keeps_a_commanded_level_until_told_to_resume() -> None:
    light = make_light()

    light.command("set_dimming", {"pct": 30})
    light.step(MIDNIGHT)
    assert light.commanded_pct == 30.0

    light.command("resume_schedule", {})
    light.step(MIDNIGHT + SECOND)
    assert light.commanded_pct == 100.0
