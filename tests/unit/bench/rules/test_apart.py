"""Classes that are judged apart: what their devices send, and what their labels say of it."""

from __future__ import annotations

import pytest

from bench.rules import bench
from bench.rules.apart.apart import CLASSES
from bench.rules.town import Numbers
from devices.kinds.kind import INTERVAL
from firmware_sim.faults import FaultLine
from tests.unit.firmware_sim.build import KINDS


def line(expect: str, start: str, end: str, *, detectable: bool = True, seen: bool = True) -> FaultLine:
    return FaultLine(
        device="B-1",
        fault="f",
        start=start,
        end=end,
        expect=expect,
        earliest=start,
        detectable=detectable,
        seen=seen,
    )


def test_six_classes_are_about_intervals() -> None:
    names = [one.interval for one in CLASSES.values() if one.interval]

    assert names == ["10s", "10m", "1h", "8h", "24h", "irregular"]
    assert all(one.numbers(Numbers(bins=5, days=3)).bins == 0 for one in CLASSES.values())


@pytest.mark.parametrize("name", ["bins-24h", "bins-rough"])
def test_bins_of_a_class_report_at_their_own_interval(name: str) -> None:
    numbers = Numbers(days=10, bins=1, lights=0, drones=0)
    group = bench.DeviceGroup(seed=3, numbers=numbers, kind="bin", first=0, last=1, apart=name)

    lived = bench.live(group)

    assert 5 <= lived.readings <= 60
    attributes = CLASSES[name].town(3, KINDS, numbers).sensing[0].attributes
    assert attributes.get(INTERVAL) == (86_400 if name == "bins-24h" else None)


def test_fault_between_two_messages_need_not_be_told() -> None:
    relabel = CLASSES["bins-24h"].relabel
    brief = line("bin-tipped", "2026-01-01T00:00:00.000Z", "2026-01-01T20:00:00.000Z")
    long = line("bin-tipped", "2026-01-01T00:00:00.000Z", "2026-01-05T20:00:00.000Z")
    fire = line("bin-fire", "2026-01-02T00:00:00.000Z", "2026-01-02T00:20:00.000Z", detectable=False)
    unseen = line("bin-fire", "2026-01-02T00:00:00.000Z", "2026-01-02T00:20:00.000Z", seen=False)
    mute = line("silent", "2026-01-01T23:00:00.000Z", "2026-01-03T00:00:00.000Z")

    assert [one.detectable for one in relabel([brief])] == [False]
    assert [one.detectable for one in relabel([long])] == [True]
    assert relabel([fire])[0].detectable, "heat is reported at once"
    assert not relabel([fire, mute])[0].detectable
    assert [one.detectable for one in relabel([unseen])] == [False], "right to tell, but nobody must"
