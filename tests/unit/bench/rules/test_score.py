"""What a match is worth."""

from __future__ import annotations

import pytest

from bench.rules.matching import Match
from bench.rules.score import score, wilson
from tests.unit.bench.rules.test_matching import alert, fault


def test_interval_of_a_share_is_wilsons() -> None:
    low, high = wilson(49, 50)

    assert low == pytest.approx(0.8950, abs=1e-3)
    assert high == pytest.approx(0.9965, abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(30, 30)[1] == 1.0


def test_score_counts_faults_that_could_be_seen_and_alerts_about_anything() -> None:
    seen = tuple((fault(t, t + 5), alert(t + 1)) for t in range(0, 100, 10))
    brief = (fault(200, 201, detectable=False), alert(201))
    found = Match(seen=(*seen, brief), missed=(fault(300, 310),), false=(alert(400),))

    one, overall = score(found, ["bin-fire"], {"bin-fire": 500.0}, lambda f: 90.0)

    assert (one.faults, one.detected, one.alerts, one.false_alerts) == (11, 10, 12, 1)
    assert one.recall == pytest.approx(10 / 11)
    assert one.precision == pytest.approx(11 / 12)
    assert one.delay_median_s == 60.0
    assert one.false_per_1000_device_days == 2.0
    assert one.insufficient
    assert overall.faults == 11


def test_score_of_a_rule_without_alerts_or_faults_has_neither_precision_nor_recall() -> None:
    one, _ = score(Match(seen=(), missed=(), false=()), ["bin-fire"], {"bin-fire": 1.0}, lambda f: 90.0)

    assert (one.precision, one.recall, one.delay_median_s) == (None, None, None)


def test_alert_that_honestly_came_early_has_no_delay() -> None:
    early = fault(10, 20, earliest=0)

    one, _ = score(
        Match(seen=((early, alert(5)),), missed=(), false=()), ["bin-fire"], {"bin-fire": 1.0}, lambda f: 90.0
    )

    assert one.delay_median_s == 0.0


def test_rule_is_late_when_most_faults_are_told_later_than_allowed() -> None:
    seen = tuple((fault(t, t + 5), alert(t + 2)) for t in range(0, 100, 10))
    found = Match(seen=seen, missed=(), false=())

    (strict, _) = score(found, ["bin-fire"], {"bin-fire": 1.0}, lambda f: 119.0)
    (mild, _) = score(found, ["bin-fire"], {"bin-fire": 1.0}, lambda f: 120.0)

    assert (strict.in_time, strict.late, strict.delay_allowed_s) == (0.0, True, 119.0)
    assert (mild.in_time, mild.late) == (1.0, False)
