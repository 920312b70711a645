"""Sensors that say what cannot be: told where they are broken, and no fire for a code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.rules import bench
from bench.rules.apart.apart import CLASSES
from bench.rules.bench import DeviceGroup
from bench.rules.town import Numbers, first_instant
from tests.unit.firmware_sim.build import KINDS


@pytest.mark.parametrize(
    ("name", "kind", "days"),
    [("bins-codes", "bin", 5), ("lights-units", "light", 5), ("drones-gauge", "drone", 0.2)],
)
def test_broken_sensors_are_told_and_their_codes_are_no_fire(name: str, kind: str, days: float) -> None:
    one = CLASSES[name]
    nobody = Numbers(days=days, bins=0, lights=0, drones=0)
    numbers = replace(nobody, **{f"{kind}s": 4})
    lived = bench.live(DeviceGroup(seed=5, numbers=numbers, kind=kind, first=0, last=4, apart=name))

    found = bench.judge(5, numbers, [lived], only=one.rules)

    assert found.overall.faults >= 3
    assert (found.overall.precision, found.overall.recall) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("name", "kind", "cause", "rule", "readings"),
    [
        ("lights-units", "light", "energy_in_wh", "light-energy-too-fast", 3),
        ("drones-gauge", "drone", "gauge_leaps", "drone-gauge-fault", 6),
    ],
)
def test_a_sensor_that_was_right_for_some_readings_only_is_not_repaired(
    name: str, kind: str, cause: str, rule: str, readings: int
) -> None:
    one, numbers = CLASSES[name], Numbers(days=1, bins=0, lights=1, drones=1)
    town = one.town(5, KINDS, numbers)
    device = one.around(next(d for d in town.sensing if d.kind == kind), town.seed)
    assert device.physics is not None
    physics = device.physics()
    physics.step(first_instant(5))

    physics.begin(cause)
    physics.measure()
    physics.end(cause)
    near = []
    for _ in range(readings + 1):
        near.append(physics.truth()[rule].near)
        physics.measure()

    assert near == [True] * readings + [False]
