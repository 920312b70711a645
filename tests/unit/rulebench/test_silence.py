"""When a device counts as silent."""

from __future__ import annotations

import numpy as np

from devices import kinds
from nabd.rulebench.silence import Listener
from rules.files import default_packs
from rules.program import Rule

MINUTE = 60_000_000
RULES = [Rule(definition=d, version=1) for d in default_packs(kinds.load()) if d.id == "silent"]


def heard(listener: Listener, *minutes: float, interval_min: float = 10.0) -> list[tuple[str, int, int]]:
    at = np.array([round(m * MINUTE) for m in minutes], dtype=np.int64)
    device = np.full(len(at), 7, dtype=np.int32)
    return list(listener.hear(device, at, np.full(len(at), round(interval_min * MINUTE))))


def test_device_is_silent_after_three_missing_intervals() -> None:
    assert heard(Listener(RULES), 0, 10, 45) == [("silent", 7, 40 * MINUTE)]


def test_device_that_is_a_little_late_is_not_silent() -> None:
    assert heard(Listener(RULES), 0, 10, 39.9) == []


def test_silence_between_two_batches_is_noticed() -> None:
    listener = Listener(RULES)

    assert heard(listener, 0, 10) == []
    assert heard(listener, 60, 70) == [("silent", 7, 40 * MINUTE)]


def test_device_that_reports_every_second_may_be_away_for_two_minutes() -> None:
    listener = Listener(RULES)

    assert heard(listener, 0, 1.9, interval_min=1 / 60) == []
    assert heard(listener, 4, interval_min=1 / 60) == [("silent", 7, round(3.9 * MINUTE))]


def test_silence_that_still_lasts_is_told_at_the_end() -> None:
    listener = Listener(RULES)
    heard(listener, 0)

    assert list(listener.close(29 * MINUTE)) == []
    assert list(listener.close(31 * MINUTE)) == [("silent", 7, 30 * MINUTE)]
