"""Measurements that are no longer refreshed, over readings in the order they were received."""

from __future__ import annotations

from collections.abc import Sequence

from rules.sweeps.arrays.build import over_arrays
from tests.unit.rules.readings import BIN, MINUTE, NOON
from tests.unit.rules.sweeps.arrays.town import Replayed, device, now, registry, rule_of

RULE = rule_of("""
- id: stale
  kind: bin
  not_refreshed: {measurement: fill_pct, missing: 6 intervals, at_least: 1h}
""")


def town(windows: Sequence[tuple[float, float]] = ()) -> Replayed:
    bins = [device(1), device(2)]
    spans = [(NOON + round(a * MINUTE), NOON + round(b * MINUTE)) for a, b in windows]
    sweep = over_arrays(RULE, BIN, registry(bins), bins, {1: spans}, -(1 << 60))
    return Replayed(sweep, BIN, every_us=60_000_000)


def send(made: Replayed, first: int, last: int, fill_pct: float | None = None) -> None:
    """Let bin 1 report every ten minutes, both included."""
    for minute in range(first, last + 1, 10):
        made.send(now(minute, 1, fill_pct=fill_pct, temperature_c=20.0))


def test_measurement_is_missed_after_six_intervals_until_it_comes_again() -> None:
    made = town()
    send(made, 0, 0, 40.0)
    send(made, 10, 90)
    send(made, 100, 100, 41.0)

    assert made.until(200) == [("firing", 1, 60), ("resolved", 1, 100)]


def test_it_is_missed_although_nothing_comes_at_the_moment() -> None:
    made = town()
    send(made, 0, 0, 40.0)
    send(made, 10, 50)

    assert made.until(59) == []
    assert made.until(65) == [("firing", 1, 60)]


def test_device_that_is_silent_or_never_measured_it_is_left_alone() -> None:
    made = town()
    send(made, 0, 0, 40.0)
    send(made, 10, 30)
    for minute in range(0, 300, 10):
        made.send(now(minute + 30.5, 2, temperature_c=20.0))

    assert made.until(400) == []


def test_device_that_is_worked_on_is_looked_at_afterwards() -> None:
    made = town(windows=[(50, 85)])
    send(made, 0, 0, 40.0)
    send(made, 10, 100)

    assert made.until(85) == []
    assert made.until(90) == [("firing", 1, 60)]
