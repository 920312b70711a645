"""Electronics that stand still or tell the wrong time, whatever the physics does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from firmware_sim.faults import CLOCK_WRONG, FROZEN_VALUES, FaultLine
from firmware_sim.member import Member
from firmware_sim.outbox import Reading
from firmware_sim.physics.model import DAY_S, SECOND
from firmware_sim.plan import CLOCK_OFF, FROZEN
from tests.unit.firmware_sim.build import NOON, small_town


class Kept:
    """A sink of labels."""

    def __init__(self) -> None:
        self.lines: list[FaultLine] = []

    def write(self, line: FaultLine) -> None:
        self.lines.append(line)


def lived(cause: str, lasts_s: float, days: float) -> tuple[list[Reading], list[FaultLine]]:
    """Return what a bin says that meets one cause after an hour."""
    town = small_town(interval_cap_s=None, fault_mean_days=0.0)
    device = replace(town.sensing[0], opening=((cause, 3600.0, lasts_s),), causes=())
    kept = Kept()
    member = Member(device, town, NOON, kept, 5.0)
    readings: list[Reading] = []
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
