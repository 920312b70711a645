"""Which alert was about which fault."""

from __future__ import annotations

from typing import Any

from bench.rules.judged import Opening
from bench.rules.matching import Fault, Match, match

MINUTE = 60_000_000
HOLD_US = 2 * MINUTE


def fault(start: int, end: int, **changes: Any) -> Fault:
    plain: dict[str, Any] = {
        "rule": "bin-fire",
        "device": "B1",
        "start": start * MINUTE,
        "earliest": start * MINUTE,
        "end": end * MINUTE,
        "detectable": True,
        "interval_s": 60.0,
        "reports_s": 60.0,
    }
    return Fault(**(plain | changes))


def alert(at: float, *, rule: str = "bin-fire", device: str = "B1") -> Opening:
    return Opening(rule=rule, device=device, opened_at=round(at * MINUTE))


def matched(faults: list[Fault], alerts: list[Opening]) -> Match:
    return match(faults, alerts, lambda rule, interval_s: HOLD_US)


def test_alert_during_its_fault_is_right() -> None:
    found = matched([fault(10, 20)], [alert(12)])

    assert len(found.seen) == 1
    assert not found.missed
    assert not found.false


def test_alert_before_its_fault_is_false_and_the_fault_is_missed() -> None:
    found = matched([fault(10, 20)], [alert(9.9)])

    assert found.false == (alert(9.9),)
    assert len(found.missed) == 1


def test_alert_from_the_first_honest_moment_on_is_right() -> None:
    announced = fault(10, 20, earliest=8 * MINUTE)

    assert matched([announced], [alert(8)]).seen == ((announced, alert(8)),)


def test_second_alert_on_the_same_fault_is_false() -> None:
    found = matched([fault(10, 20)], [alert(12), alert(16)])

    assert len(found.seen) == 1
    assert found.false == (alert(16),)


def test_fault_that_nobody_saw_is_missed() -> None:
    assert matched([fault(10, 20)], []).missed == (fault(10, 20),)


def test_fault_that_nobody_could_see_is_not_missed_yet_its_alert_is_right() -> None:
    brief = fault(10, 11, detectable=False)

    assert not matched([brief], []).missed
    assert not matched([brief], [alert(11)]).false


def test_alert_after_the_end_is_right_for_the_hold_and_one_and_a_half_intervals() -> None:
    assert not matched([fault(10, 20)], [alert(23.5)]).false
    assert matched([fault(10, 20)], [alert(23.6)]).false


def test_alert_of_another_device_or_rule_is_false() -> None:
    found = matched([fault(10, 20)], [alert(12, device="B2"), alert(12, rule="bin-tipped")])

    assert len(found.false) == 2
    assert len(found.missed) == 1


def test_each_of_two_faults_has_its_own_alert_though_their_times_overlap() -> None:
    first, second = fault(10, 20), fault(22, 30)

    found = matched([first, second], [alert(12), alert(23)])

    assert found.seen == ((first, alert(12)), (second, alert(23)))
