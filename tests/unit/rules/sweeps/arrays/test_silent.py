"""When a device counts as silent, over readings in the order they were received."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from alerts.transition import Transition
from devices import kinds
from devices.columns import MISSING, Columns, empty_values
from rules.definition.definition import Gate
from rules.language.program import Rule
from rules.loading.files import default_packs
from rules.sweeps.arrays.received import received_by
from rules.sweeps.arrays.replay import SweepReplay
from rules.sweeps.arrays.silent import SilentOverArrays
from tests.unit.rules.sweeps.arrays.town import swept

KINDS = kinds.load()
MINUTE = 60_000_000
SECOND = 1_000_000
RULES = {d.id: Rule(definition=d, version=1) for d in default_packs(KINDS)}
ALWAYS = -(1 << 60)


def readings(kind: str, minutes: Sequence[float]) -> Columns:
    at = np.array([round(m * MINUTE) for m in minutes], dtype=np.int64)
    n = len(at)
    return Columns(
        kind=KINDS[kind],
        device_id=np.full(n, 7, dtype=np.int32),
        observed_at=at,
        received_at=at,
        quality=np.zeros(n, dtype=np.int64),
        boot=np.full(n, MISSING),
        seq=np.full(n, MISSING),
        values=empty_values(KINDS[kind], n),
        extra=np.full(n, None, dtype=object),
        message=np.arange(n, dtype=np.int32),
    )


class Town:
    """One device under one rule."""

    def __init__(
        self,
        rule: str = "silent",
        kind: str = "bin",
        *,
        caught_up_at: int = ALWAYS,
        windows: Sequence[tuple[float, float]] = (),
    ) -> None:
        devices = swept(7, windows=[(round(a * MINUTE), round(b * MINUTE)) for a, b in windows])
        self._sweep = SilentOverArrays(RULES[rule], KINDS[kind], devices, caught_up_at)
        self._replay = SweepReplay(self._sweep, tick_us=2 * SECOND, every_us=0)
        self._kind = kind

    def send(self, *minutes: float, interval_min: float = 10.0, phase: str | None = None) -> None:
        columns = readings(self._kind, minutes)
        if phase is not None:
            columns.values["flight_phase"][:] = phase
        interval_us = np.full(len(minutes), round(interval_min * MINUTE), dtype=np.int64)
        self._replay.receive(
            received_by(columns, interval_us, self._sweep.device_id, self._sweep.measurements)
        )

    def until(self, minute: float) -> list[tuple[bool, float]]:
        """Return whether each alert opened or ended, and its minute."""
        found = [told for _, told in self._replay.until(round(minute * MINUTE))]
        return [(transition.opens, _minute(transition)) for transition in found]


def _minute(transition: Transition) -> float:
    return transition.observed_at / MINUTE


def flown(phase: str, *minutes: float) -> list[tuple[bool, float]]:
    """Return what is found of a drone that reports every second and says so."""
    town = Town("drone-lost-link", "drone")
    town.send(*minutes, interval_min=1 / 60, phase=phase)
    return town.until(max(minutes) + 0.1)


def test_device_is_silent_after_three_missing_intervals_until_it_sends_something() -> None:
    town = Town()
    town.send(0, 10, 45)

    assert town.until(46) == [(True, 40), (False, 45)]


def test_device_that_is_a_little_late_is_not_silent() -> None:
    town = Town()
    town.send(0, 10, 39.9)

    assert town.until(41) == []


def test_silence_between_two_batches_is_noticed() -> None:
    town = Town()
    town.send(0, 10)

    assert town.until(11) == []
    town.send(60, 70)
    assert town.until(71) == [(True, 40), (False, 60)]


def test_silence_ends_with_the_newest_of_what_a_sweep_finds() -> None:
    town = Town()
    town.send(0, 59 + 58 / 60, 59 + 59 / 60, 60, 60 + 3 / 60)

    assert town.until(61) == [(True, 30), (False, 59 + 58 / 60)]
    town = Town()
    town.send(0, 59 + 58.5 / 60, 59 + 59 / 60, 60, 60 + 3 / 60)
    assert town.until(61) == [(True, 30), (False, 60)]


def test_device_is_silent_again_after_it_was_heard_once() -> None:
    town = Town()
    town.send(0, 60, 61)

    assert town.until(200) == [(True, 30), (False, 60), (True, 91)]


def test_device_that_reports_every_second_may_be_away_for_two_minutes() -> None:
    town = Town()
    town.send(0, 1.9, interval_min=1 / 60)

    assert town.until(3.9) == []
    town.send(4, interval_min=1 / 60)
    assert town.until(4.5) == [(True, 3.9), (False, 4)]


def test_silence_that_still_lasts_is_found_at_the_end() -> None:
    town = Town()
    town.send(0)

    assert town.until(29) == []
    assert town.until(31) == [(True, 30)]


def test_link_is_lost_ten_seconds_after_the_last_word_in_flight() -> None:
    assert flown("spraying", 0, 1) == [(True, 10 / 60), (False, 1)]
    assert flown("spraying", 0, 0.15) == []


def test_drone_that_is_mute_on_the_ground_has_not_lost_its_link() -> None:
    assert flown("docked", 0, 1) == []


def test_nobody_is_silent_before_we_had_listened_for_an_interval() -> None:
    town = Town(caught_up_at=45 * MINUTE)
    town.send(0)

    assert town.until(55) == []
    assert town.until(56) == [(True, 30)]


def test_device_is_not_silent_while_it_is_worked_on_and_has_its_time_again_afterwards() -> None:
    town = Town(windows=[(10, 60)])
    town.send(0)

    assert town.until(90) == []
    assert town.until(92) == [(True, 30)]


def test_silence_does_not_end_while_its_device_is_worked_on() -> None:
    town = Town(windows=[(32, 60)])
    town.send(0, 40, 50)

    assert town.until(60) == [(True, 30)]
    assert town.until(61.1) == [(False, 50)]


def test_rule_does_not_look_while_its_gate_is_closed_or_undecided() -> None:
    found = {}
    for name, gate in {"day": Gate(sun="day"), "unplaced": Gate(sun="day"), "none": None}.items():
        placed = name != "unplaced"
        rule = Rule(definition=replace(RULES["silent"].definition, when=gate), version=1)
        # 1970-01-01 00:00Z: night in Tripoli until about 07:00.
        sweep = SilentOverArrays(rule, KINDS["bin"], swept(7, placed=placed), ALWAYS)
        replay = SweepReplay(sweep, tick_us=2 * SECOND, every_us=0)
        columns = readings("bin", [0])
        replay.receive(received_by(columns, np.array([10 * MINUTE]), sweep.device_id, ()))
        looked = [at / MINUTE for at, _ in replay.until(12 * 60 * MINUTE)]
        found[name] = looked

    assert found["unplaced"] == []
    assert found["none"] == [30 + 2 / 60]
    (at,) = found["day"]
    assert 5.5 * 60 < at < 7 * 60
