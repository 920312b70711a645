"""What breaks in months: every cause shows in the ground truth, some too little to matter, and ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from firmware_sim.faults import EXPECTED, LONG_RUN
from firmware_sim.physics.airframe import AirframeFaults
from firmware_sim.physics.cell import EMPTY, BatteryCell
from firmware_sim.physics.echo import BLIND_ZONE_MM, EchoSensor
from firmware_sim.physics.luminaire import RATED_LIFE_H, Wear
from firmware_sim.physics.model import DAY_S, SECOND, Physics
from firmware_sim.plan import CLOCK_OFF, FROZEN, LINK_LOSS, SILENCE
from firmware_sim.plan import LONG_RUN as CAUSES
from tests.unit.firmware_sim.build import MIDNIGHT, NOON, live, make_bin, make_drone, make_light

ELECTRONICS = {SILENCE, LINK_LOSS, FROZEN, CLOCK_OFF}


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_every_kind_of_fault_of_a_device_is_labelled_with_an_expected_rule() -> None:
    labelled = {**EXPECTED, **LONG_RUN}

    for device in (make_bin(), make_light(), make_drone()):
        device.step(NOON)
        assert set(device.truth()) <= set(labelled)


def test_every_cause_of_a_long_run_does_something_to_its_device() -> None:
    makers: dict[str, Callable[[], Physics]] = {
        "bin": lambda: make_bin(),
        "light": lambda: make_light(),
        "drone": lambda: make_drone(),
    }
    for kind, causes in CAUSES.items():
        for cause in {c.name for c in causes} - ELECTRONICS - {"unused"}:
            device = makers[kind]()
            device.step(MIDNIGHT)
            before = repr(vars(device)) + repr(vars(getattr(device, "echo", device)))
            device.begin(cause)
            assert repr(vars(device)) + repr(vars(getattr(device, "echo", device))) != before, cause


def test_leaky_cell_falls_under_the_knee_within_days_and_is_changed() -> None:
    cell = BatteryCell(charge=0.8)
    healthy = cell.volts(20.0, rng())

    cell.leak(rng())
    for _ in range(40):
        cell.step(DAY_S / 10)

    assert cell.left < EMPTY
    assert np.median([cell.volts(20.0, rng(i)) for i in range(9)]) < healthy - 0.05
    cell.change()
    assert cell.left == 1.0


def test_cold_lowers_the_voltage_of_a_healthy_cell_now_and_then() -> None:
    cell, warm, cold = BatteryCell(charge=0.8), rng(), rng()

    sags = [sum(cell.volts(t, r) < 3.55 for _ in range(3000)) for t, r in ((20.0, warm), (2.0, cold))]

    assert sags[0] < sags[1] < 150


def test_frozen_echo_repeats_itself_while_the_bin_fills() -> None:
    echo, chance = EchoSensor(1500.0, 1200.0), rng()
    first = echo.distance_mm(NOON, 20.0, 1.0, 0.3, chance)
    echo.frozen = True

    later = [echo.distance_mm(NOON, fill, 1.0, 2.0, chance) for fill in range(20, 100)]

    assert max(later) - min(later) <= 1.0
    assert abs(later[0] - first) <= 1.0


def test_blocked_echo_hears_what_hangs_before_it() -> None:
    echo = EchoSensor(1500.0, 1200.0)
    echo.blocked = True

    heard = [echo.distance_mm(NOON, 20.0, 1.0, 0.5, rng(i)) for i in range(20)]

    assert np.median(heard) <= BLIND_ZONE_MM + 1


def test_blind_sensor_hides_an_overflow_from_everyone() -> None:
    bin_ = make_bin(first_fill_pct=90.0)
    bin_.step(NOON)
    assert not bin_.truth()["bin-overflow"].hidden

    bin_.begin("blocked_echo")

    assert bin_.truth()["bin-overflow"].hidden
    assert bin_.truth()["bin-sensor-blocked"].holds


def test_smoulder_is_seen_only_once_it_is_hot() -> None:
    bin_ = make_bin()
    bin_.step(NOON)
    bin_.begin("smoulder")
    assert bin_.truth()["bin-fire"].holds
    assert bin_.truth()["bin-fire"].hidden

    live(bin_, NOON, 3 * 3600, every_s=30)

    assert bin_.truth()["bin-fire"].holds
    assert not bin_.truth()["bin-fire"].hidden
    assert bin_.temperature_c > 70.0


@pytest.mark.parametrize("cause", ["dead_modules", "worn_capacitor", "fouled_heatsink", "struck"])
def test_wear_of_a_lamp_is_sometimes_too_little_to_matter(cause: str) -> None:
    drawn = []
    for seed in range(60):
        wear = Wear()
        assert wear.begin(cause, NOON, rng(seed))
        drawn.append((wear.dead_share, wear.deficit, wear.heat - 1.0, wear.struck_deg))
        wear.end(cause)
        assert wear == Wear()

    sizes = sorted(max(d) for d in drawn)
    assert sizes[0] < 0.4 * sizes[-1]


def test_blinking_lamp_is_counted_by_what_its_light_does() -> None:
    light = make_light()
    light.step(MIDNIGHT)
    light.wear.since, light.wear.period_s, light.wear.lit_share = MIDNIGHT, 120.0, 0.5

    reported = sum(light.step(MIDNIGHT + s * SECOND) for s in range(10, 1800, 10))

    assert reported >= 25
    assert light.truth()["light-cycling"].holds
    assert light.tick_s() <= 20.0


def test_old_lamp_passes_its_rated_life_and_a_new_one_begins_at_zero() -> None:
    light = make_light()
    light.step(MIDNIGHT)
    light.begin("old_lamp")
    assert not light.truth()["light-end-of-life"].holds

    light.burn_hours = RATED_LIFE_H + 0.1
    assert light.truth()["light-end-of-life"].holds
    light.end("old_lamp")
    assert light.burn_hours == 0.0


def test_trouble_of_an_aircraft_ends_without_a_trace() -> None:
    for cause in {c.name for c in CAUSES["drone"]} - ELECTRONICS:
        troubles = AirframeFaults()
        troubles.begin(cause, rng())
        troubles.end(cause)
        assert troubles == AirframeFaults(), cause


def test_leak_empties_the_tank_past_the_flow_meter() -> None:
    drone = make_drone()
    second = 0
    while drone.phase != "spraying" or drone.sprayer.flow_lpm < 5.0:
        second += 1
        drone.step(NOON + second * SECOND)
    drone.troubles.leak_lpm = 6.0
    before, metered = drone.sprayer.tank_l, 0.0

    for s in range(second + 1, second + 31):
        drone.step(NOON + s * SECOND)
        metered += drone.sprayer.flow_lpm / 60.0

    assert before - drone.sprayer.tank_l == pytest.approx(metered + 3.0, abs=0.3)
    assert drone.truth()["drone-leak"].holds
