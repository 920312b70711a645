"""Matching alerts with labelled faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from devices.instants import to_microseconds
from firmware_sim.faults import FaultLine
from nabd.demo.score import OpenedAlert, Score, score

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = 60_000_000


def fault(start: int, end: int | None, *, device: str = "b1", detectable: bool = True) -> FaultLine:
    return FaultLine(
        device=device,
        fault="fire",
        start=(NOON + timedelta(minutes=start)).isoformat(),
        end=None if end is None else (NOON + timedelta(minutes=end)).isoformat(),
        expect="bin-fire",
        earliest=(NOON + timedelta(minutes=start)).isoformat(),
        detectable=detectable,
    )


def alert(minute: int, *, rule: str = "bin-fire", device: str = "b1") -> OpenedAlert:
    at = to_microseconds(NOON) + minute * MINUTE
    return OpenedAlert(rule=rule, device=device, opened_at=at, resolved=False, committed_at=None)


def rated(faults: list[FaultLine], alerts: list[OpenedAlert]) -> Score:
    return score(faults, alerts, {"b1": 2 * MINUTE})


def test_an_alert_within_its_fault_detects_it() -> None:
    found = rated([fault(0, 10)], [alert(5)])

    assert (found.faults, found.detected, found.missed, found.false_alerts) == (1, 1, (), ())


def test_an_alert_may_open_a_little_after_the_end() -> None:
    assert rated([fault(0, 10)], [alert(12)]).detected == 1
    assert rated([fault(0, 10)], [alert(13)]).detected == 0


def test_an_alert_about_another_device_or_rule_is_false() -> None:
    found = rated([fault(0, 10)], [alert(5, device="b2"), alert(5, rule="bin-tipped")])

    assert (found.detected, len(found.missed), len(found.false_alerts)) == (0, 1, 2)


def test_of_two_faults_in_reach_the_later_one_is_detected() -> None:
    found = rated([fault(0, 10), fault(11, 20)], [alert(12)])

    assert (found.detected, len(found.missed)) == (1, 1)
    assert "12:00:00" in found.missed[0]


def test_a_fault_too_short_to_see_counts_neither_way() -> None:
    found = rated([fault(0, 1, detectable=False)], [alert(0)])

    assert (found.faults, found.detected, found.missed, found.false_alerts) == (0, 0, (), ())


def test_an_alert_of_a_rule_without_ground_truth_is_neither_true_nor_false() -> None:
    found = rated([fault(0, 10)], [alert(5), alert(5, rule="bin-full-soon")])

    assert (found.detected, found.false_alerts, len(found.unlabelled)) == (1, (), 1)


def test_a_fault_that_still_holds_may_be_detected_at_any_time() -> None:
    assert rated([fault(0, None)], [alert(500)]).detected == 1
