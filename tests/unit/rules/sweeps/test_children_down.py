"""Which circuits are down, without a database: the decision that service and benchmark share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from alerts.transition import Severity
from rules.definition.families import ChildrenDown
from rules.definition.family_values import comparisons
from rules.sweeps.core import children_down
from rules.sweeps.core.children_down import Children, OpenIncident
from rules.sweeps.core.instants import NEVER
from tests.unit.rules.readings import KINDS

MINUTE = 60_000_000
FAMILY = ChildrenDown(
    of="light",
    share=0.6,
    clear=0.3,
    within_us=5 * MINUTE,
    at_least=3,
    missing=1.5,
    severity=Severity.CRITICAL,
)


def lamps(*heard_min: float, parent: int = 1) -> Children:
    """Return lit lamps that report every 15 minutes, last heard at some minutes."""
    n = len(heard_min)
    heard = np.array([m * MINUTE for m in heard_min], dtype=np.int64)
    return Children(
        parent=np.full(n, parent, dtype=np.int64),
        received_at=heard,
        seen_at=heard,
        interval_us=np.full(n, 15 * MINUTE, dtype=np.int64),
        disconnected_at=np.full(n, NEVER, dtype=np.int64),
        dark=np.zeros(n, dtype=bool),
        lit=np.ones(n, dtype=bool),
        failed_before=np.zeros(n, dtype=bool),
    )


def begun(children: Children, minute: float, caught_up: float = -1000) -> list[children_down.Incident]:
    return children_down.find_begun(children, FAMILY, round(minute * MINUTE), round(caught_up * MINUTE))


def test_incident_begins_once_so_large_a_share_is_overdue_and_names_who_fell() -> None:
    children = lamps(0, 1, 2, 30, 3)

    assert begun(children, 23) == []
    (incident,) = begun(children, 26)

    assert (incident.children, incident.silent, incident.dark) == (5, 4, 0)
    assert incident.down == (0, 1, 2, 4)
    assert incident.since == 3 * MINUTE


def test_those_that_fell_long_before_count_neither_way() -> None:
    assert begun(lamps(-600, -500, -400, 100, 101), 102) == []
    assert len(begun(lamps(-600, 60, 60, 60, 101), 102)) == 1


def test_nobody_is_silent_before_we_had_listened_for_long_enough() -> None:
    assert begun(lamps(0, 0, 0), 60, caught_up=40) == []
    assert len(begun(lamps(0, 0, 0), 60, caught_up=30)) == 1


def test_connection_that_ended_counts_after_a_minute() -> None:
    children = lamps(0, 0, 0)
    children.disconnected_at[:] = 5 * MINUTE

    assert begun(children, 6) == []
    assert len(begun(children, 6.1)) == 1


def test_lamp_that_failed_before_is_not_dark_with_the_others() -> None:
    children = replace(lamps(0, 0, 0, 0, 0), dark=np.array([True, True, True, False, False]))

    assert len(begun(children, 1)) == 1
    assert begun(replace(children, failed_before=children.dark), 1) == []


def test_incident_ends_when_few_enough_are_down() -> None:
    incident = OpenIncident(parent=1, opened_at=26 * MINUTE, children=5, dark=False)

    assert children_down.find_ended(lamps(0, 1, 2, 30, 30), [incident], FAMILY, 31 * MINUTE) == []
    (over,) = children_down.find_ended(lamps(0, 30, 30, 30, 30), [incident], FAMILY, 31 * MINUTE)

    assert over == (incident, 4)


def test_incident_of_darkness_ends_by_light_alone() -> None:
    incident = OpenIncident(parent=1, opened_at=26 * MINUTE, children=3, dark=True)
    children = lamps(30, 30, 30)

    unlit = replace(children, lit=np.zeros(3, dtype=bool))

    assert children_down.find_ended(unlit, [incident], FAMILY, 31 * MINUTE) == []
    assert len(children_down.find_ended(children, [incident], FAMILY, 31 * MINUTE)) == 1


def holds(text: str, **values: list[float]) -> list[bool]:
    light = KINDS["light"]
    n = len(next(iter(values.values())))
    known = children_down.knowing(
        light,
        lambda name: np.array(values[name], dtype=np.float64),
        lambda name: np.array(values.get(name, [np.nan] * n), dtype=np.float64),
    )
    held: list[bool] = children_down.all_hold(comparisons(text), light, known).tolist()
    return held


def test_missing_value_holds_no_comparison() -> None:
    assert holds("power_w < 5", power_w=[1.6, np.nan, 9.0]) == [True, False, False]


def test_comparison_with_a_share_takes_what_the_kind_declares_where_a_device_says_nothing() -> None:
    rated = [np.nan, 20.0, 20.0]

    assert holds("power_w < 0.1 * rated_power_w", power_w=[4.4, 4.4, 1.9], rated_power_w=rated) == [
        True,
        False,
        True,
    ]
    assert holds("power_w < rated_power_w", power_w=[89.0, 21.0, 19.0], rated_power_w=rated) == [
        True,
        False,
        True,
    ]


def test_value_below_what_its_meter_can_tell_is_not_below_a_limit_that_is_too() -> None:
    assert holds("power_w < 0.01 * rated_power_w", power_w=[0.0, 0.0], power_w_floor=[np.nan, 0.1]) == [
        False,
        True,
    ]
