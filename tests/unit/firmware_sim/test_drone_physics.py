"""What a mission looks like, and what can go wrong on it."""

from __future__ import annotations

import pytest

from firmware_sim.physics.drone import Drone
from firmware_sim.physics.model import SECOND
from tests.unit.firmware_sim.build import NOON, make_drone


def fly(drone: Drone, seconds: int, start: int = NOON) -> list[dict[str, object]]:
    """Fly for some seconds and return one measurement a second."""
    seen: list[dict[str, object]] = []
    for second in range(seconds):
        drone.step(start + second * SECOND)
        seen.append(dict(drone.measure()))
    return seen


def until_spraying(drone: Drone) -> int:
    for second in range(300):
        drone.step(NOON + second * SECOND)
        if drone.phase == "spraying" and drone.sprayer.flow_lpm > 1.0:
            return NOON + second * SECOND
    pytest.fail("never sprayed")


def test_drone_flies_its_phases_in_order_and_comes_home() -> None:
    seen = fly(make_drone(), 600)

    phases = [str(v["flight_phase"]) for v in seen]
    order = list(dict.fromkeys(phases))
    assert order == ["docked", "takeoff", "transit", "spraying", "returning", "landing"]
    assert "docked" in phases[phases.index("landing") :]


def test_drone_empties_its_tank_over_the_zone_at_the_asked_dose() -> None:
    drone = make_drone(target_l_ha=100.0)
    start = until_spraying(drone)

    doses = []
    for second in range(5, 60):
        drone.step(start + second * SECOND)
        doses.append(drone.sprayer.dose_l_ha)

    assert min(doses) > 88.0
    assert max(doses) < 112.0
    assert drone.sprayer.tank_l < 34.0


def test_drone_spends_its_battery_only_in_the_air() -> None:
    drone = make_drone()
    seen = fly(drone, 200)

    assert seen[0]["battery_pct"] == 100.0
    assert 60.0 < float(str(seen[-1]["battery_pct"])) < 97.0


def test_clogged_nozzles_raise_the_pressure_and_halve_the_flow() -> None:
    drone = make_drone()
    start = until_spraying(drone)
    drone.step(start + 3 * SECOND)
    flow, pressure = drone.sprayer.flow_lpm, drone.sprayer.pressure_bar
    drone.begin("clogged")

    drone.step(start + 10 * SECOND)

    assert drone.sprayer.flow_lpm < 0.7 * flow
    assert drone.sprayer.pressure_bar > 1.5 * pressure
    assert drone.truth()["drone-clogged-nozzle"].holds
    assert drone.truth()["drone-wrong-dose"].holds


def test_wrong_rate_shows_in_the_dose_that_reaches_the_ground() -> None:
    drone = make_drone()
    start = until_spraying(drone)
    drone.begin("wrong_rate")

    drone.step(start + 15 * SECOND)

    assert drone.sprayer.dose_l_ha > 130.0
    assert drone.truth()["drone-wrong-dose"].holds


def test_runaway_drone_leaves_its_fence_and_returns_once_caught() -> None:
    drone = make_drone()
    start = until_spraying(drone)
    drone.begin("runaway")
    drone.step(start + 40 * SECOND)
    assert drone.truth()["drone-geofence"].holds

    drone.end("runaway")
    drone.step(start + 120 * SECOND)

    assert not drone.truth()["drone-geofence"].holds


def test_deaf_drone_with_a_worn_pack_lands_far_from_home() -> None:
    drone = make_drone(far=True)
    start = until_spraying(drone)
    assert not drone.truth()["drone-battery-low"].near
    drone.begin("deaf")

    held = []
    for second in range(400):
        drone.step(start + second * SECOND)
        held.append(drone.truth()["drone-battery-low"].holds)

    assert any(held)
    assert drone.phase == "fault"


def test_healthy_drone_is_never_short_of_battery_in_a_day() -> None:
    drone = make_drone(far=True)

    for minute in range(24 * 60):
        drone.step(NOON + minute * 60 * SECOND)
        assert not any(state.holds for state in drone.truth().values())


def test_drone_comes_home_when_told() -> None:
    drone = make_drone()
    start = until_spraying(drone)

    assert drone.command("return_home", {}).status == "succeeded"
    drone.step(start + 60 * SECOND)
    assert drone.phase == "docked"
    assert drone.command("hold", {}).status == "failed"
