"""Bins that tell a rough percentage every 1 to 30 hours, without an interval of their own."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from rules.loading.files import PACKS
from tests.unit.rules.readings import BIN, Evaluator, Reading, at

TEXT = (PACKS / "bin.yaml").read_text(encoding="utf-8")
EMPTY_MM = 1500


def history(levels: Sequence[float], *, fill_only: bool, seed: int = 1) -> list[Reading]:
    """Return readings of levels in turn, each 1 to 30 hours after the one before."""
    chance, hour, found = random.Random(seed), 0.0, []
    for level in levels:
        hour += chance.uniform(1, 30)
        distance = None if fill_only else EMPTY_MM - 12 * level
        found.append(at(60 * hour, fill_pct=level, distance_mm=distance))
    return found


def alerts(readings: list[Reading]) -> list[tuple[str, str]]:
    made = Evaluator(TEXT, BIN).feed(*readings)
    return [(t.rule, str(t.severity)) for t in made if t.opens]


@pytest.mark.parametrize("fill_only", [True, False])
def test_bin_that_is_full_for_a_fortnight_has_overflow_alone(fill_only: bool) -> None:
    found = alerts(history([10, 30, 55, *[100] * 25], fill_only=fill_only))

    assert found == [("bin-overflow", "critical")]


@pytest.mark.parametrize("fill_only", [True, False])
def test_bin_between_86_and_89_for_a_fortnight_has_a_frozen_sensor(fill_only: bool) -> None:
    levels = [random.Random(2).choice((86, 87, 88, 89)) for _ in range(26)]

    found = alerts(history(levels, fill_only=fill_only))

    assert ("bin-sensor-frozen", "minor") in found
    assert [rule for rule, _ in found].count("bin-overflow") == 1
    rules = {r.rule.id: r.rule.definition for r in Evaluator(TEXT, BIN).program.rules}
    assert rules["bin-overflow"].suppress_by == ("bin-sensor-frozen",)


@pytest.mark.parametrize("levels", [[99, 80, 45, 76], [33, 21, 1, 91]])
def test_rough_levels_do_not_flap(levels: list[float]) -> None:
    found = alerts(history(levels * 8, fill_only=True))

    assert len(found) <= 1


def test_empty_cell_is_told_without_a_thermometer_and_without_a_voltage() -> None:
    cold, unknown = (
        [at(10 * i, battery_v=2.9) for i in range(5)],
        [at(10 * i, battery_pct=3) for i in range(5)],
    )

    assert alerts(cold) == [("bin-battery-low", "major")]
    assert alerts(unknown) == [("bin-battery-low", "major")]
    assert alerts([at(10 * i, battery_v=3.45) for i in range(5)]) == [], "it may be frost"
