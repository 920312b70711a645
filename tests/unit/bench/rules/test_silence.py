"""When a device counts as silent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.rules.silence import Listener
from devices import kinds
from devices.columns import MISSING, Columns, empty_values
from rules.language.program import Rule
from rules.loading.files import default_packs

KINDS = kinds.load()
MINUTE = 60_000_000
RULES = [Rule(definition=d, version=1) for d in default_packs(KINDS) if d.id == "silent"]
LOST_LINK = [Rule(definition=d, version=1) for d in default_packs(KINDS) if d.id == "drone-lost-link"]


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


def heard(listener: Listener, *minutes: float, interval_min: float = 10.0) -> list[tuple[str, int, int]]:
    interval = np.full(len(minutes), round(interval_min * MINUTE), dtype=np.int64)
    return list(listener.hear(readings("bin", minutes), interval))


def flown(phase: str, *minutes: float) -> list[tuple[str, int, int]]:
    """Return what is told of a drone that reports every second and says so."""
    columns = readings("drone", minutes)
    columns.values["flight_phase"][:] = phase
    return list(Listener(LOST_LINK).hear(columns, np.full(len(minutes), 1_000_000, dtype=np.int64)))


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


def test_link_is_lost_ten_seconds_after_the_last_word_in_flight() -> None:
    assert flown("spraying", 0, 1) == [("drone-lost-link", 7, 10_000_000)]
    assert flown("spraying", 0, 0.15) == []


def test_drone_that_is_mute_on_the_ground_has_not_lost_its_link() -> None:
    assert flown("docked", 0, 1) == []


def test_nothing_is_told_without_rules_about_silence() -> None:
    assert heard(Listener([]), 0, 100) == []
