"""Bins that will soon be full, over readings in the order they were received."""

from __future__ import annotations

from collections.abc import Sequence

from rules.sweeps.arrays.build import over_arrays
from tests.unit.rules.readings import BIN, MINUTE, NOON
from tests.unit.rules.sweeps.arrays.town import Replayed, device, now, registry, rule_of

HOUR = 60
GATED = "\n  when: {local_time: '01:00-03:00'}"
RULE = """
- id: soon
  kind: bin
  forecast: {measurement: fill_pct, reaches: 85}
"""


def town(windows: Sequence[tuple[float, float]] = (), text: str = RULE) -> Replayed:
    bins = [device(1)]
    spans = [(NOON + round(a * MINUTE), NOON + round(b * MINUTE)) for a, b in windows]
    sweep = over_arrays(rule_of(text), BIN, registry(bins), bins, {1: spans}, -(1 << 60))
    return Replayed(sweep, BIN, every_us=60_000_000)


def fill(made: Replayed, first_h: float, last_h: float, level: float, rate_per_h: float = 1.2) -> None:
    """Let the bin report every half hour and fill from a level on."""
    for number in range(round((last_h - first_h) * 2) + 1):
        minute = first_h * HOUR + number * 30
        made.send(now(minute, 1, fill_pct=level + rate_per_h * number / 2))


def test_bin_will_be_full_soon_until_it_is_emptied() -> None:
    made = town()
    fill(made, 0, 36, 20)
    fill(made, 36.5, 38, 2)

    (begins, ends) = made.until(40 * HOUR)

    assert begins[:2] == ("firing", 1)
    # Of 65 points a day and a third is left at a level of 85 - 24 * 1.2, less what is not known yet.
    assert 24 * HOUR < begins[2] < 36 * HOUR
    assert ends == ("resolved", 1, 37 * HOUR), "one low value is no emptying, two are"


def test_bin_that_fills_slowly_is_not_found() -> None:
    made = town()
    fill(made, 0, 72, 10, rate_per_h=0.3)

    assert made.until(80 * HOUR) == []


def test_what_is_read_while_somebody_works_there_teaches_nothing_and_opens_nothing() -> None:
    made = town(windows=[(28 * HOUR, 36.2 * HOUR)])
    fill(made, 0, 36, 20)
    assert made.until(37 * HOUR) == []

    fill(made, 36.5, 37, 64)
    ((state, _, minute),) = made.until(38 * HOUR)
    assert (state, minute) == ("firing", 36.5 * HOUR)


def test_forecast_is_learnt_while_the_rule_does_not_look() -> None:
    # Noon (UTC) is 14:00 in Tripoli: the rule looks 11 and 35 hours after it, for two hours.
    made = town(text=RULE.rstrip() + GATED + "\n")
    fill(made, 0, 38, 20)

    ((state, _, minute),) = made.until(39 * HOUR)
    assert state == "firing"
    assert 35 * HOUR <= minute <= 37 * HOUR
