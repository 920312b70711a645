"""How late a rule may rightly be, by its own definition."""

from __future__ import annotations

import pytest

from alerts.transition import Severity
from bench.rules.allowance import allowed_us, hold_us, look_back_us
from rules.definition.definition import Definition, Hold
from rules.loading.files import default_packs
from tests.unit.bench.rules.test_matching import fault
from tests.unit.firmware_sim.build import KINDS

MINUTE = 60_000_000
HOUR = 60 * MINUTE


def rule(condition: str, **let: str) -> Definition:
    return Definition(id="x", kind="bin", summary={}, levels={Severity.MINOR: condition}, let=let)


@pytest.mark.parametrize(
    ("condition", "waits"),
    [
        ("fill_pct > 85", 0),
        ('frozen("24h")', 24 * HOUR),
        ('fill_pct > 5 and flat(fill_pct, "72h", 5)', 72 * HOUR),
        ('fill_pct > 5 or flat(fill_pct, "72h", 5)', 0),
        ('fill_pct > 5 and not flat(fill_pct, "72h", 5)', 0),
        ('not (fill_pct > 5 and flat(fill_pct, "72h", 5))', 0),
        ("delta(fill_pct) > 5", 10 * MINUTE),
        ("n_of(fill_pct > 5, 3, 5)", 20 * MINUTE),
        ('n_of(fill_pct > 5, 3, "15m")', 15 * MINUTE),
        ('count(fill_pct > 5, "30m") > 3', 30 * MINUTE),
        ('flat(fill_pct, "4 readings", 1)', 40 * MINUTE),
        ('known(trend(fill_pct, "16d") > 1, false)', 384 * HOUR),
        ('fill_pct / baseline(fill_pct, "12d") > 2', 0),
        ('n_of(flat(fill_pct, "1h", 5), 2, 2)', 70 * MINUTE),
    ],
)
def test_look_back_is_what_a_condition_waits_for(condition: str, waits: int) -> None:
    assert look_back_us(rule(condition), 600.0) == waits
    assert look_back_us(rule("named", named=condition), 600.0) == waits


def test_every_default_rule_says_what_it_waits_for() -> None:
    waits = {d.id: look_back_us(d, 600.0) for d in default_packs(KINDS)}

    assert waits["bin-sensor-frozen"] == 72 * HOUR
    assert waits["bin-overflow"] == waits["bin-battery-low"] == waits["light-partial-failure"] == 0


def test_fault_may_be_told_after_hold_look_back_and_one_and_a_half_intervals_of_what_shows_it() -> None:
    held = Definition(
        id="x", kind="bin", summary={}, levels={Severity.MINOR: 'frozen("1h")'}, hold=Hold(readings=3)
    )

    assert hold_us(held, 60.0) == 2 * MINUTE
    assert allowed_us(held, fault(0, 99)) == 2 * MINUTE + HOUR + 1.5 * MINUTE
    assert allowed_us(held, fault(0, 99, reports_s=600.0)) == 20 * MINUTE + HOUR + 15 * MINUTE
