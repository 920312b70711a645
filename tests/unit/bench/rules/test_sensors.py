"""Sensors that say what cannot be: told where they are broken, and no fire for a code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.rules import bench
from bench.rules.apart.apart import CLASSES
from bench.rules.bench import DeviceGroup
from bench.rules.town import Numbers


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
