"""What a rule means, one sentence at a time."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest

from alerts.transition import ConditionState
from rules.context.attributes import Facts
from rules.engine.evaluate import step
from tests.unit.rules.readings import KINDS, MINUTE, NOON, Evaluator, at, columns_of, rule, told

OVERFLOW = rule(
    """
levels: {warning: "fill_pct >= attr(overflow_at, 85)", critical: fill_pct >= 95}
clear: fill_pct < 70
for: 2 readings
"""
)


def full(*minutes_and_fills: tuple[float, float | None]) -> list[tuple[str, str, float]]:
    """Run the overflow rule over (minute, fill) and tell what it said."""
    evaluator = Evaluator(OVERFLOW)
    return told(evaluator.feed(*(at(minute, fill_pct=fill) for minute, fill in minutes_and_fills)))


def test_alert_fires_once_the_condition_has_held_long_enough() -> None:
    assert full((0, 90), (10, 91), (20, 92)) == [("firing", "warning", 10)]


def test_one_reading_in_between_restarts_the_count() -> None:
    assert full((0, 90), (10, 80), (20, 90)) == []


def test_a_gap_longer_than_max_gap_restarts_the_count() -> None:
    assert full((0, 90), (25, 90)) == [("firing", "warning", 25)]
    assert full((0, 90), (25.1, 90)) == []


def test_silence_never_completes_a_duration() -> None:
    held = rule("levels: {warning: fill_pct >= 85}\nfor: 1h")

    assert told(Evaluator(held).feed(at(0, fill_pct=90), at(120, fill_pct=90))) == []


def test_duration_is_measured_on_the_clock_of_the_readings() -> None:
    held = rule("levels: {warning: fill_pct >= 85}\nfor: 30m")
    readings = [at(minute, fill_pct=90) for minute in (0, 10, 20, 30)]

    assert told(Evaluator(held).feed(*readings)) == [("firing", "warning", 30)]


def test_undecided_reading_neither_advances_nor_resets() -> None:
    assert full((0, 90), (10, None), (20, 90)) == [("firing", "warning", 20)]
    assert full((0, 90), (10, None), (20, None), (30, 90)) == [], "the gap between decided readings counts"


def test_marked_value_is_undecided_unless_the_rule_wants_suspect_values() -> None:
    marked = [at(minute, fill_pct=90, marked=("fill_pct",)) for minute in (0, 10)]

    assert told(Evaluator(OVERFLOW).feed(*marked)) == []
    assert told(Evaluator(OVERFLOW + "  use_suspect: true").feed(*marked)) == [("firing", "warning", 10)]


def test_error_code_is_no_value_even_for_rules_that_want_suspect_ones() -> None:
    cold = rule("levels: {warning: temperature_c < -100}\nuse_suspect: true")

    assert told(Evaluator(cold).feed(at(0, temperature_c=-127.0, marked=("temperature_c",)))) == []


def test_severity_rises_and_falls_and_each_change_is_told() -> None:
    fills = [(0, 90), (10, 90), (20, 96), (30, 96), (40, 90), (50, 90), (60, 50), (70, 50)]

    assert full(*fills) == [
        ("firing", "warning", 10),
        ("firing", "critical", 30),
        ("firing", "warning", 50),
        ("resolved", "warning", 70),
    ]


def test_lowest_level_stays_between_its_limit_and_clear() -> None:
    fills = [(0, 90), (10, 90), (20, 72), (30, 71), (40, 72), (50, 69), (60, 69)]

    assert full(*fills) == [("firing", "warning", 10), ("resolved", "warning", 60)]


def test_alert_falls_after_keep_firing_only() -> None:
    slow = rule("levels: {warning: fill_pct >= 85}\nkeep_firing: 15m")
    fills = [(0, 90), (10, 50), (20, 90), (30, 50), (40, 50), (45, 50)]

    evaluator = Evaluator(slow)
    assert told(evaluator.feed(*(at(m, fill_pct=f) for m, f in fills))) == [
        ("firing", "warning", 0),
        ("resolved", "warning", 45),
    ]


def test_late_reading_changes_nothing() -> None:
    evaluator = Evaluator(OVERFLOW)

    assert told(evaluator.feed(at(20, fill_pct=90), at(10, fill_pct=90), at(20, fill_pct=90))) == []
    assert told(evaluator.feed(at(30, fill_pct=90))) == [("firing", "warning", 30)]


def test_late_fire_is_raised_and_says_so() -> None:
    fire = Evaluator(rule("levels: {critical: temperature_c > 70}\nlate: raise"))

    fire.feed(at(20, temperature_c=30))
    (raised,) = fire.feed(at(10, temperature_c=90))

    assert told([raised]) == [("firing", "critical", 10)]
    assert raised.evidence["late"] is True


def test_late_fire_is_old_news_when_its_alert_has_come_and_gone() -> None:
    fire = Evaluator(rule("levels: {critical: temperature_c > 70}\nlate: raise"))
    fire.feed(at(0, temperature_c=90), at(10, temperature_c=30), at(20, temperature_c=30))

    assert told(fire.feed(at(5, temperature_c=90))) == []
    assert told(fire.feed(at(15, temperature_c=90))) == [("firing", "critical", 15)]


def test_backlog_of_two_hours_evaluates_like_two_hours_lived() -> None:
    readings = [at(minute, fill_pct=60 + minute / 3) for minute in range(0, 121, 10)]
    lived, backlog = Evaluator(OVERFLOW), Evaluator(OVERFLOW)

    one_by_one = [t for reading in readings for t in told(lived.feed(reading))]

    assert (
        told(backlog.feed(*(replace(reading, received=125) for reading in readings)))
        == one_by_one
        == [("firing", "warning", 90), ("firing", "critical", 120)]
    )


def test_devices_in_one_batch_do_not_mix() -> None:
    evaluator = Evaluator(OVERFLOW)
    readings = [at(m, device=d, fill_pct=90 if d == 2 else 20) for m in (0, 10) for d in (3, 2, 1)]

    transitions = evaluator.feed(*readings)

    assert [(t.device_id, t.observed_at) for t in transitions] == [(2, NOON + 600_000_000)]


def test_attribute_of_the_device_sets_its_own_limit() -> None:
    facts = {1: Facts(attributes={"overflow_at": 50}), 2: Facts(attributes={"overflow_at": "high"})}
    evaluator = Evaluator(OVERFLOW, facts=facts)

    transitions = evaluator.feed(*(at(m, device=d, fill_pct=60) for m in (0, 10) for d in (1, 2, 3)))

    assert [t.device_id for t in transitions] == [1]
    assert transitions[0].evidence["limits"] == {"overflow_at": 50}
    assert transitions[0].evidence["values"] == {"fill_pct": 60}


def test_slow_device_is_judged_by_its_own_interval() -> None:
    facts = {1: Facts(attributes={"interval_s": 6 * 3600})}

    assert told(Evaluator(OVERFLOW, facts=facts).feed(at(0, fill_pct=90), at(360, fill_pct=90))) == [
        ("firing", "warning", 360)
    ]


def test_first_reading_fires_from_inactive_and_a_held_one_from_pending() -> None:
    quick = Evaluator(rule("levels: {warning: fill_pct > 85}"))
    held = Evaluator(OVERFLOW)

    assert quick.feed(at(0, fill_pct=90))[0].from_state is ConditionState.INACTIVE
    assert held.feed(at(0, fill_pct=90), at(10, fill_pct=90))[0].from_state is ConditionState.PENDING


@pytest.mark.parametrize(("weekend", "fires"), [((6, 7), False), ((4, 5), True)])
def test_gate_knows_the_municipalitys_weekend(weekend: tuple[int, ...], fires: bool) -> None:
    # The tests' noon is a Thursday, which is a weekend day in some countries.
    gated = rule("levels: {warning: fill_pct > 85}\nwhen: {days: weekend}")
    facts = {1: Facts(attributes={}, weekend=weekend)}

    assert bool(Evaluator(gated, facts=facts).feed(at(0, fill_pct=90))) is fires


def test_local_day_decides_what_a_weekend_is() -> None:
    gated = rule("levels: {warning: fill_pct > 85}\nwhen: {days: weekend}")
    friday_in_kiribati = {1: Facts(attributes={}, weekend=(5,), zone="Pacific/Kiritimati")}

    assert Evaluator(gated, facts=friday_in_kiribati).feed(at(0, fill_pct=90))


def test_rules_rest_during_maintenance_unless_they_say_otherwise() -> None:
    spans = ((NOON, NOON + 30 * MINUTE), (NOON + 60 * MINUTE, NOON + 70 * MINUTE))
    facts = {1: Facts(attributes={}, maintenance=spans)}
    readings = [at(m, d, fill_pct=90) for m in (0, 10, 29, 30, 60) for d in (1, 2)]
    held = "levels: {warning: fill_pct > 85}\nfor: 2 readings\nmax_gap: 1h"
    rules = rule(held) + rule(held + "\nwhen: {maintenance: look}", "looks")

    found = Evaluator(rules, facts=facts).feed(*readings, at(70, 1, fill_pct=90))

    assert [(t.rule, t.device_id, (t.observed_at - NOON) // MINUTE) for t in found] == [
        ("looks", 1, 10), ("r", 2, 10), ("looks", 2, 10), ("r", 1, 70),
    ]  # fmt: skip


@pytest.mark.parametrize(("zone", "fires"), [("UTC", False), ("Asia/Gaza", False), ("Asia/Dubai", True)])
def test_gate_looks_at_the_municipalitys_clock(zone: str, fires: bool) -> None:
    gated = rule('levels: {warning: fill_pct > 85}\nwhen: {local_time: "16:00-06:00"}')

    assert (
        bool(Evaluator(gated, facts={1: Facts(attributes={}, zone=zone)}).feed(at(0, fill_pct=90))) is fires
    )


def test_alert_stays_open_while_the_gate_is_closed() -> None:
    night = rule("levels: {warning: fill_pct > 85}\nwhen: {condition: tilt_deg < 10}")
    evaluator = Evaluator(night)

    transitions = evaluator.feed(at(0, fill_pct=90, tilt_deg=0), at(10, fill_pct=10, tilt_deg=50))
    assert told(transitions) == [("firing", "warning", 0)]
    assert told(evaluator.feed(at(20, fill_pct=10, tilt_deg=0))) == [("resolved", "warning", 20)]


def test_step_alters_nothing_until_its_changes_are_adopted() -> None:
    evaluator = Evaluator(OVERFLOW)
    batch = columns_of([at(0, fill_pct=90), at(10, fill_pct=90)])

    tries = [
        step(evaluator.program, evaluator.state, batch, evaluator.attributes).transitions for _ in range(3)
    ]

    assert tries[0] == tries[1] == tries[2]
    assert len(tries[0]) == 1


def test_what_a_condition_is_false_before_is_remembered_all_the_same() -> None:
    evaluator = Evaluator(rule("levels: {warning: 'fill_pct > 90 and n_of(tilt_deg > 45, 2, 3)'}\nfor: 0"))

    # Alone in its batch, the left side is false on every row.
    assert evaluator.feed(at(0, fill_pct=10, tilt_deg=50), at(10, fill_pct=10, tilt_deg=50)) == []
    assert told(evaluator.feed(at(20, fill_pct=95, tilt_deg=0))) == [("firing", "warning", 20)]


def test_step_leaves_nothing_to_the_garbage_collector() -> None:
    evaluator = Evaluator(rule("levels: {warning: 'flat(fill_pct, \"1h\", 1) and delta(tilt_deg) > 0'}"))
    columns = columns_of([at(minute, fill_pct=10, tilt_deg=minute) for minute in range(0, 100, 10)])
    observed_at = weakref.ref(columns.observed_at)
    gc.disable()
    try:
        step(evaluator.program, evaluator.state, columns, evaluator.attributes)
        del columns
        assert observed_at() is None
    finally:
        gc.enable()


def test_skipped_rule_stays_exactly_as_it_was() -> None:
    evaluator = Evaluator(OVERFLOW + rule("levels: {warning: fill_pct > 10}", "other"))
    batch = columns_of([at(0, fill_pct=90), at(10, fill_pct=90)])

    result = step(evaluator.program, evaluator.state, batch, evaluator.attributes, skip={"r"})

    assert [t.rule for t in result.transitions] == ["other"]


def test_light_is_known_by_night_where_it_stands() -> None:
    night = rule("levels: {warning: power_w < 5}\nwhen: {sun: night}", kind="light")
    beirut, los_angeles = Facts(attributes={}, lat=33.9, lon=35.5), Facts(attributes={}, lat=34.0, lon=-118.2)
    evaluator = Evaluator(night, KINDS["light"], {1: beirut, 2: los_angeles})

    assert [t.device_id for t in evaluator.feed(at(0, 1, power_w=1), at(0, 2, power_w=1))] == [2]


def test_gap_opens_and_ends_no_alert_out_of_silence() -> None:
    """Whatever is waited for, a reading after silence starts it anew."""
    for level in (
        "fill_pct > 80",
        "n_of(fill_pct > 80, 2, 3)",
        'n_of(fill_pct > 80, 2, "2h")',
        'flat(fill_pct, "1h", 1)',
        'count(fill_pct > 80, "2 readings") >= 2',
        "fill_pct > 80 and delta(fill_pct) == 0",
    ):
        evaluator = Evaluator(rule(f"levels: {{warning: '{level}'}}\nmax_gap: 20m\nfor: 10m"))
        assert evaluator.feed(at(0, fill_pct=90), at(120, fill_pct=90)) == [], level

    open_alert = Evaluator(rule("levels: {warning: 'n_of(fill_pct > 80, 2, 3)'}\nmax_gap: 20m"))
    assert told(open_alert.feed(at(0, fill_pct=90), at(10, fill_pct=90))) == [("firing", "warning", 10)]
    assert open_alert.feed(at(120, fill_pct=90), at(130, fill_pct=10)) == []
    assert told(open_alert.feed(at(140, fill_pct=10))) == [("resolved", "warning", 140)]

    ending = Evaluator(rule("levels: {warning: fill_pct > 80}\nmax_gap: 20m\nkeep_firing: 10m"))
    assert told(ending.feed(at(0, fill_pct=90))) == [("firing", "warning", 0)]
    assert ending.feed(at(10, fill_pct=10), at(130, fill_pct=10)) == []
    assert told(ending.feed(at(140, fill_pct=10))) == [("resolved", "warning", 140)]


def test_late_but_true_reading_raises_once_and_ends_by_the_next_in_order() -> None:
    fire = rule("levels: {critical: temperature_c > 70}\nclear: temperature_c < 50\nlate: raise")
    evaluator = Evaluator(fire)
    evaluator.feed(at(30, temperature_c=20))

    backlog = evaluator.feed(*(at(m, temperature_c=90) for m in (10, 15, 20)))

    assert told(backlog) == [("firing", "critical", 10)]
    assert told(evaluator.feed(at(40, temperature_c=20))) == [("resolved", "critical", 40)]


def test_two_hour_backlog_gives_the_same_alerts_as_readings_that_came_in_time() -> None:
    text = OVERFLOW + rule('levels: {minor: "n_of(delta(fill_pct) > 1, 3, \\"30m\\")"}', "filling")
    readings = [at(m, fill_pct=60 + m / 3) for m in range(0, 121, 10)] + [
        at(m, fill_pct=5) for m in (130, 140)
    ]
    lived, backlog = Evaluator(text), Evaluator(text)
    at_once = [replace(reading, received=145) for reading in readings]

    in_time = [t for reading in readings for t in told(lived.feed(reading))]

    assert told(backlog.feed(*at_once)) == in_time
    assert len(in_time) >= 4
