"""Values far from their neighbours', over readings in the order they were received."""

from __future__ import annotations

from rules.sweeps.arrays.build import over_arrays
from tests.unit.rules.readings import BIN
from tests.unit.rules.sweeps.arrays.town import Replayed, device, now, registry, rule_of

RULE = rule_of("""
- id: odd
  kind: bin
  neighbours: {measurement: temperature_c, within: 500 m, at_least: 5, minimum: 10, for: 30m}
""")
BINS = range(1, 8)


def town() -> Replayed:
    bins = [device(number, lat=32.9 + 0.0002 * number) for number in BINS]
    sweep = over_arrays(RULE, BIN, registry(bins), bins, {}, -(1 << 60))
    return Replayed(sweep, BIN, every_us=60_000_000)


def measure(made: Replayed, minute: float, first: float | None) -> None:
    """Let all bins be about 20 degrees warm but the first one; None: it says nothing."""
    told = {number: 20.0 + 0.1 * number for number in BINS} | {1: first}
    made.send(*(now(minute, n, temperature_c=value) for n, value in told.items() if value is not None))


def test_value_that_is_far_for_half_an_hour_is_found_until_it_is_near_again() -> None:
    made = town()
    for minute in (0, 10, 20, 30):
        measure(made, minute, 80.0)
    measure(made, 40, 21.0)

    assert made.until(50) == [("firing", 1, 30), ("resolved", 1, 40)]


def test_value_that_was_near_in_between_or_grew_old_is_not_found() -> None:
    made = town()
    for minute in (0, 10, 20, 30, 40):
        measure(made, minute, 20.0 if minute == 20 else 80.0)
    assert made.until(45) == []

    made = town()
    for minute in range(0, 60, 10):
        measure(made, minute, 80.0 if minute in (0, 40, 50) else None)
    assert made.until(60) == [], "between 20 and 40 nobody knew what it measured"
