"""Electronics that stand still or tell the wrong time, whatever the physics does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from firmware_sim.faults import CLOCK_WRONG, FROZEN_VALUES, LOST_LINK, SILENT, FaultLine
from firmware_sim.member import Member
from firmware_sim.outbox import SimulatedReading
from firmware_sim.physics.model import DAY_S, SECOND
from firmware_sim.plan import CLOCK_OFF, FROZEN, LINK_LOSS
from tests.unit.firmware_sim.build import NOON, small_town


class Kept:
    """A sink of labels."""

    def __init__(self) -> None:
        self.lines: list[FaultLine] = []

    def write(self, line: FaultLine) -> None:
        self.lines.append(line)


def lived(cause: str, lasts_s: float, days: float) -> tuple[list[SimulatedReading], list[FaultLine]]:
    """Return what a bin says that meets one cause after an hour."""
    town = small_town(interval_cap_s=None, fault_mean_days=0.0)
    device = replace(town.sensing[0], opening=((cause, 3600.0, lasts_s),), causes=())
    kept = Kept()
    member = Member(device, town, NOON, kept, 5.0)
    readings: list[SimulatedReading] = []
    while member.due < NOON + round(days * DAY_S) * SECOND:
        readings += member.tick(member.due)
    member.close(member.due)
    return readings, kept.lines


def of(rule: str, lines: Sequence[FaultLine]) -> list[FaultLine]:
    return [line for line in lines if line.expect == rule]


def test_frozen_device_repeats_its_values_under_moving_time() -> None:
    readings, lines = lived(FROZEN, 2 * DAY_S, 3)

    hashes = [reading.hash for reading in readings]
    same = max(hashes.count(h) for h in set(hashes))
    assert same > 2 * 24 * 5
    assert len({reading.ts for reading in readings}) == len(readings)
    (label,) = of(FROZEN_VALUES, lines)
    assert label.detectable


def test_device_that_freezes_briefly_need_not_be_noticed() -> None:
    _, lines = lived(FROZEN, 7200, 1)

    (label,) = of(FROZEN_VALUES, lines)
    assert not label.detectable


def test_wrong_clock_shows_in_the_time_a_device_tells_and_is_set_right_again() -> None:
    readings, lines = lived(CLOCK_OFF, DAY_S, 2)

    off = {
        round(msgspec.json.decode(r.element)["ts"] - (r.observed_at or 0) / 1000) // 1000 for r in readings
    }
    assert len(off) == 2  # right, and wrong by one and the same time
    (wrong,) = off - {0}
    told = bool(of(CLOCK_WRONG, lines))
    assert told == (wrong > 300 or wrong < -600)


def flown(after_s: float) -> list[FaultLine]:
    """Return the labels of a drone that takes off after a second and loses its link for five minutes."""
    town = small_town(interval_cap_s=None, fault_mean_days=0.0)
    drone = next(d for d in town.sensing if d.kind == "drone")
    device = replace(drone, opening=((LINK_LOSS, after_s, 300.0),), causes=())
    kept = Kept()
    member = Member(device, town, NOON, kept, 5.0)
    while member.due < NOON + 3600 * SECOND:
        member.tick(member.due)
    member.close(member.due)
    return kept.lines


def test_drone_that_goes_mute_in_flight_is_lost_until_it_is_heard_again() -> None:
    found = flown(60.0)

    (lost,), (silent,) = of(LOST_LINK, found), of(SILENT, found)
    assert lost.detectable
    assert (lost.start, lost.end) == (silent.start, silent.end)


def test_drone_that_goes_mute_on_the_ground_is_not_lost_though_it_takes_off() -> None:
    docked = flown(400.0)

    assert len(of(SILENT, docked)) == 1
    assert of(LOST_LINK, docked) == []


def silences(second_after_s: float) -> list[FaultLine]:
    """Return the labels of silence of a bin that loses its link for fifty minutes, twice."""
    town = small_town(interval_cap_s=None, fault_mean_days=0.0)
    opening = ((LINK_LOSS, 3600.0, 3000.0), (LINK_LOSS, 6600.0 + second_after_s, 3000.0))
    device = replace(town.sensing[0], opening=opening, causes=())
    kept = Kept()
    member = Member(device, town, NOON, kept, 5.0)
    while member.due < NOON + 4 * 3600 * SECOND:
        member.tick(member.due)
    return of(SILENT, kept.lines)


def test_link_that_comes_back_too_briefly_to_say_anything_was_lost_once() -> None:
    (label,) = silences(5.0)

    assert label.detectable


def test_link_that_comes_back_and_is_used_was_lost_twice() -> None:
    assert [label.detectable for label in silences(1800.0)] == [True, True]
