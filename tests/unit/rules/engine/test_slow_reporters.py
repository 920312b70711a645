"""Devices that report more rarely than their kind: gaps, holds, windows and standstills by their interval."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import yaml

from devices.kinds.kind import INTERVAL
from rules.context.attributes import Facts
from rules.context.memory import pace
from rules.engine import snapshot
from rules.engine.evaluate import step
from rules.engine.state import RuleState
from rules.loading.files import PACKS
from tests.unit.rules.readings import Evaluator, Reading, at, columns_of, rule, told

HOUR, DAY = 60, 1440
INTERVALS_S = (10, 600, 3600, 8 * 3600, 86_400)
TWICE = rule("levels: {warning: fill_pct > 85}\nfor: 2 readings\nmax_gap: 6h")


def only(kind: str, name: str) -> str:
    """Return one rule of a default pack, as text."""
    rules = yaml.safe_load((PACKS / f"{kind}.yaml").read_text(encoding="utf-8"))
    return yaml.safe_dump([r for r in rules if r["id"] == name], allow_unicode=True, width=1000)


def every(minutes: float, times: int, **values: Any) -> list[Reading]:
    """Return readings of the same values, one after another, each five seconds late."""
    return [at(i * (minutes + 5 / 60), **values) for i in range(times)]


@pytest.mark.parametrize("interval_s", INTERVALS_S)
def test_full_bin_alerts_with_its_second_reading_at_every_interval(interval_s: int) -> None:
    evaluator = Evaluator(only("bin", "bin-overflow"), facts={1: Facts(attributes={INTERVAL: interval_s})})

    found = told(evaluator.feed(*every(interval_s / 60, 2, fill_pct=97)))

    assert [(state, severity) for state, severity, _ in found] == [("firing", "critical")]


# What repeats every ten minutes in all its values is told by frozen-values.
ALL_THE_SAME = {"fill_pct": 40, "distance_mm": 900}


@pytest.mark.parametrize(
    ("interval_s", "more"),
    [*((interval_s, {}) for interval_s in INTERVALS_S), *((s, ALL_THE_SAME) for s in (3600, 28_800, 86_400))],
)
def test_low_battery_alerts_at_every_interval(interval_s: int, more: dict[str, float]) -> None:
    evaluator = Evaluator(only("bin", "bin-battery-low"), facts={1: Facts(attributes={INTERVAL: interval_s})})

    found = told(evaluator.feed(*every(interval_s / 60, 4, battery_v=2.97, temperature_c=20, **more)))

    assert [severity for _, severity, _ in found] == ["major"]


def test_longer_gap_of_a_rule_stays() -> None:
    evaluator = Evaluator(TWICE, facts={1: Facts(attributes={INTERVAL: 600})})

    assert told(evaluator.feed(at(0, fill_pct=90), at(300, fill_pct=90)))
    assert not Evaluator(TWICE).feed(at(0, fill_pct=90), at(361, fill_pct=90))


def test_device_without_an_interval_is_learned_from_three_gaps() -> None:
    evaluator = Evaluator(TWICE)

    found = told(evaluator.feed(*every(DAY, 8, fill_pct=97)))

    assert [(state, round(minute / DAY)) for state, _, minute in found] == [("firing", 4)]


def test_one_long_gap_teaches_nothing() -> None:
    evaluator = Evaluator(TWICE)
    evaluator.feed(*[at(10 * i, fill_pct=10) for i in range(40)])
    evaluator.feed(at(3 * DAY, fill_pct=10), at(3 * DAY + 10, fill_pct=90))

    assert not evaluator.feed(at(3 * DAY + 400, fill_pct=90))


def test_what_was_learned_is_the_same_however_readings_are_cut_and_survives_a_checkpoint() -> None:
    chance = random.Random(7)
    minutes = np.cumsum([chance.uniform(1, 30) * HOUR for _ in range(120)])
    history = [at(float(m), fill_pct=chance.choice((50, 86, 97, 97, 20))) for m in minutes]
    whole = Evaluator(TWICE)
    expected = told(whole.feed(*history))

    cut = Evaluator(TWICE)
    found = told(cut.feed_cut(history, range(0, 120, 7)))

    assert expected
    assert found == expected
    assert (cut.state.rows.gap == whole.state.rows.gap).all()
    kept = snapshot.parse(snapshot.dump(snapshot.take(whole.state)))
    assert kept is not None
    blank = RuleState(whole.program)
    snapshot.carry(kept, blank)
    assert (blank.rows.gap[0] == whole.state.rows.gap[0]).all()
    assert blank.rows.gaps[0] == 119


def test_expected_interval_of_irregular_devices_outlasts_their_usual_gaps() -> None:
    chance = random.Random(3)
    hours = np.cumsum([chance.uniform(1, 30) for _ in range(60)])
    evaluator = Evaluator(TWICE)
    columns = columns_of([at(float(h) * HOUR, fill_pct=10) for h in hours])

    made = step(evaluator.program, evaluator.state, columns, evaluator.attributes)

    expected_h = made.interval_us / 3600e6
    assert expected_h[0] == pytest.approx(1 / 6)
    assert (3 * expected_h[5:] > 30).all()
    assert (expected_h[20:] < 31).all()


def test_fast_reporter_is_expected_sooner_only_after_a_day_of_it() -> None:
    evaluator = Evaluator(TWICE)
    columns = columns_of([at(i, fill_pct=10) for i in range(2 * DAY)])

    interval_s = step(evaluator.program, evaluator.state, columns, evaluator.attributes).interval_us / 1e6

    assert interval_s[DAY - 1] == 600
    assert 50 < interval_s[-1] < 70


def test_two_readings_a_day_apart_are_no_standstill() -> None:
    values = {"fill_pct": 40, "temperature_c": 20.0, "tilt_deg": 1.0, "battery_v": 3.6}
    facts = {1: Facts(attributes={INTERVAL: 86_400})}
    frozen = Evaluator(only("any", "frozen-values"), facts=facts)

    found = told(frozen.feed(*every(DAY, 14, **values)))

    assert [round(minute / DAY) for _, _, minute in found] == [11]


def test_windows_that_could_be_learned_match_a_scalar_reckoning() -> None:
    chance = random.Random(5)
    for _ in range(200):
        held = chance.randint(0, pace.KEPT)
        gaps = [chance.randint(-40, 110) for _ in range(held)]
        window = np.array([[-128] * (pace.KEPT - held) + gaps], dtype=np.int8)
        found, patience = pace.of_windows(window)
        assert (found[0], patience[0]) == pytest.approx(_scalar(sorted(1.05**g for g in gaps)))


def _scalar(ratios: list[float]) -> tuple[float, float]:
    if not ratios:
        return 1.0, 1.0
    middle = ratios[(len(ratios) - 1) // 2]
    high = ratios[-(-len(ratios) * 95 // 100) - 1]
    scarce = 1 + 3 / len(ratios) if len(ratios) < pace.KEPT else 1.0
    found = max(middle, scarce * high / pace.P95_PATIENCE)
    slow = sum(r > pace.SLOW for r in ratios)
    if len(ratios) == pace.KEPT and found < pace.BRISK and ratios[-1] < pace.BRISK:
        return found, found
    habit = slow >= 3 and 2 * slow > len(ratios)
    return max(1.0, found) if habit else 1.0, max(1.0, found) if slow and 4 * slow > len(ratios) else 1.0
