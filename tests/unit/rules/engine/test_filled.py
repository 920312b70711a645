"""Rules over readings that come in parts: each is judged when it can be, and counts once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from alerts.transition import Transition
from devices.columns import Filled, empty_values
from rules.engine.evaluate import step
from tests.unit.rules.readings import BIN, Evaluator, Reading, at, columns_of, told

HOT = """
- id: hot
  kind: bin
  summary: {en: hot, fr: chaud, ar: حار}
  levels: {major: "temperature_c > 70"}
"""
FULL_TWICE = """
- id: full
  kind: bin
  summary: {en: full, fr: plein, ar: ممتلئة}
  levels: {major: "fill_pct > 80"}
  for: 2 readings
"""
FULL_AND_HOT = """
- id: both
  kind: bin
  summary: {en: both, fr: deux, ar: كلاهما}
  levels: {major: "fill_pct > 80 and temperature_c > 70"}
"""
LEAPS = """
- id: leaps
  kind: bin
  summary: {en: leaps, fr: saute, ar: يقفز}
  levels: {major: "delta(temperature_c) > 10"}
"""


def fill(rules: Evaluator, reading: Reading, known: Mapping[str, Any]) -> list[Transition]:
    """Evaluate a reading that is whole now and of which some values were stored before."""
    columns = columns_of([reading])
    before = empty_values(BIN, 1)
    for name, value in known.items():
        before[name][0] = value
    columns.filled = Filled(row=np.array([True]), values=before)
    result = step(rules.program, rules.state, columns, rules.attributes)
    rules.state.adopt(result.changes)
    return list(result.transitions)


def test_a_part_is_judged_at_the_instant_of_the_newest_reading() -> None:
    rules = Evaluator(HOT)
    rules.feed(at(0, fill_pct=50))

    assert told(fill(rules, at(0, fill_pct=50, temperature_c=80), {"fill_pct": 50})) == [
        ("firing", "major", 0)
    ]


def test_a_part_of_an_older_reading_is_late() -> None:
    rules = Evaluator(HOT)
    rules.feed(at(0, fill_pct=50), at(10, fill_pct=50))

    assert fill(rules, at(0, fill_pct=50, temperature_c=80), {"fill_pct": 50}) == []


def test_a_reading_counts_once_however_many_parts_it_has() -> None:
    rules = Evaluator(FULL_TWICE)
    rules.feed(at(0, fill_pct=90))

    assert fill(rules, at(0, fill_pct=90, temperature_c=20), {"fill_pct": 90}) == []
    assert told(rules.feed(at(10, fill_pct=91))) == [("firing", "major", 10)]


def test_a_condition_on_two_parts_is_decided_once_both_are_there() -> None:
    rules = Evaluator(FULL_AND_HOT)
    assert rules.feed(at(0, fill_pct=90)) == []

    assert told(fill(rules, at(0, fill_pct=90, temperature_c=80), {"fill_pct": 90})) == [
        ("firing", "major", 0)
    ]


def test_a_change_is_counted_from_the_reading_before_whatever_part_brings_it() -> None:
    rules = Evaluator(LEAPS)
    rules.feed(at(0, temperature_c=20), at(10, fill_pct=50))

    fired = fill(rules, at(10, fill_pct=50, temperature_c=40), {"fill_pct": 50})
    again = fill(
        rules,
        at(10, fill_pct=50, temperature_c=40, battery_v=3),
        {"fill_pct": 50, "temperature_c": 40},
    )

    assert told(fired) == [("firing", "major", 10)]
    assert again == []
    assert told(rules.feed(at(20, temperature_c=41))) == [("resolved", "major", 20)]
