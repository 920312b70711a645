"""Circuits that are down, over readings of their lamps in the order they were received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rules.language.program import Rule
from rules.loading.files import default_packs
from rules.sweeps.arrays.build import over_arrays
from rules.sweeps.arrays.children_down import ChildAlert, ChildrenDownOverArrays, ConnectionChange
from tests.unit.rules.readings import KINDS, MINUTE, NOON
from tests.unit.rules.sweeps.arrays.town import Replayed, device, now, registry, rule_of

CIRCUIT = 100
LAMPS = (1, 2, 3, 4, 5)
LIT: Mapping[str, float] = {"power_w": 88.0, "commanded_dim_pct": 100.0}
DARK: Mapping[str, float] = {"power_w": 0.6, "commanded_dim_pct": 100.0}
RULE = rule_of("""
- id: down
  kind: circuit
  children_down: {of: light, dark: power_w < 5 and commanded_dim_pct >= 1, lit: power_w > 5}
""")


def town(windows: Sequence[tuple[float, float]] = ()) -> Replayed:
    """Return a circuit of five lamps and one lamp elsewhere; `windows` in which the circuit is worked on."""
    lamps = [device(number, "light", parent=CIRCUIT) for number in LAMPS]
    devices = [device(CIRCUIT, "circuit"), *lamps, device(6, "light")]
    spans = [(NOON + round(a * MINUTE), NOON + round(b * MINUTE)) for a, b in windows]
    light = KINDS["light"]
    sweep = over_arrays(RULE, light, registry(devices), [*lamps, devices[-1]], {CIRCUIT: spans}, -(1 << 60))
    return Replayed(sweep, light)


def send(made: Replayed, minute: float, measured: Mapping[str, float], lamps: Sequence[int] = LAMPS) -> None:
    made.send(*(now(minute, lamp, **measured) for lamp in lamps), interval_min=15)


def test_circuit_is_down_when_most_lamps_are_dark_until_they_are_lit() -> None:
    made = town()
    send(made, 0, LIT)
    send(made, 10, DARK, LAMPS[:3])
    send(made, 20, {"power_w": 0.4, "commanded_dim_pct": 0.0})
    send(made, 30, LIT)

    assert made.until(31) == [("firing", CIRCUIT, 10), ("resolved", CIRCUIT, 30)]


def test_circuit_is_down_by_deadline_when_most_lamps_say_nothing() -> None:
    made = town()
    send(made, 0, LIT)
    send(made, 14, LIT, LAMPS[:1])

    assert made.until(22) == []
    ((state, circuit, minute),) = made.until(30)
    assert (state, circuit) == ("firing", CIRCUIT)
    assert 22.5 < minute < 22.8


def test_lamps_that_had_failed_before_do_not_make_a_circuit() -> None:
    made = town()
    assert isinstance(made.sweep, ChildrenDownOverArrays)
    failed = [
        ChildAlert(at=NOON, device_id=lamp, rule="lamp", opened_at=NOON - 60 * MINUTE, is_open=True)
        for lamp in LAMPS[:3]
    ]
    made.sweep.note(failed)
    send(made, 5, DARK, LAMPS[:3])
    send(made, 5, LIT, LAMPS[3:])
    assert made.until(6) == []

    ended = [
        ChildAlert(at=NOON + 7 * MINUTE, device_id=lamp, rule="lamp", opened_at=0, is_open=False)
        for lamp in LAMPS[:3]
    ]
    made.sweep.note(ended)
    send(made, 8, DARK, LAMPS[:3])
    assert made.until(9) == [("firing", CIRCUIT, 8)]


def test_connection_that_ended_counts_after_a_minute() -> None:
    made = town()
    assert isinstance(made.sweep, ChildrenDownOverArrays)
    send(made, 0, LIT)
    made.sweep.connect(
        ConnectionChange(at=NOON + 3 * MINUTE, device_id=lamp, online=False) for lamp in LAMPS[:3]
    )

    ((state, _, minute),) = made.until(10)
    assert state == "firing"
    assert 4 < minute < 4.3


def test_incident_neither_begins_nor_ends_while_its_circuit_is_worked_on() -> None:
    made = town(windows=[(5, 60)])
    send(made, 0, LIT)
    send(made, 10, DARK)
    assert made.until(60) == []
    send(made, 61, DARK)
    assert [state for state, _, _ in made.until(62)] == ["firing"]

    made = town(windows=[(20, 60)])
    send(made, 0, DARK)
    send(made, 30, LIT)
    send(made, 61, LIT)
    assert [(state, minute) for state, _, minute in made.until(62)] == [("firing", 0), ("resolved", 61)]


def street(rated_power_w: float, **attributes: Any) -> Replayed:
    """Return five lamps of one rating under the default rule, on a circuit with some attributes."""
    lamps = [device(n, "light", parent=CIRCUIT, rated_power_w=rated_power_w) for n in LAMPS]
    devices = [device(CIRCUIT, "circuit", **attributes), *lamps]
    light = KINDS["light"]
    rule = next(d for d in default_packs(KINDS) if d.id == "circuit-down")
    sweep = over_arrays(Rule(definition=rule, version=1), light, registry(devices), lamps, {}, -(1 << 60))
    return Replayed(sweep, light)


@pytest.mark.parametrize(
    ("rated", "level", "watts", "is_down"),
    [
        (20.0, 20.0, 4.4, False),
        (20.0, 20.0, 1.6, True),
        (90.0, 100.0, 1.1, True),
        (90.0, 50.0, 5.4, False),
        (60.0, 50.0, 3.6, False),
        (20.0, 10.0, 0.0, False),
    ],
)
def test_darkness_of_a_circuit_is_a_share_of_rating_and_dimming(
    rated: float, level: float, watts: float, is_down: bool
) -> None:
    made = street(rated)
    send(made, 0, {"power_w": watts, "commanded_dim_pct": level})

    assert [state for state, _, _ in made.until(5)] == (["firing"] if is_down else [])


DUSK = 4 * 60
"""Minutes after noon UTC at which the sun still shines in Tripoli in October."""


@pytest.mark.parametrize(
    ("supply", "cut_min", "from_min"), [("night", -420, 330), ("18:00-06:00", -480, 270)]
)
def test_circuit_that_is_cut_by_day_is_not_down_until_it_stays_silent_after_dusk(
    supply: str, cut_min: float, from_min: float
) -> None:
    made = street(90.0, supply=supply)
    assert isinstance(made.sweep, ChildrenDownOverArrays)
    for quarter in range(32):
        send(made, cut_min - 5 - 15 * (31 - quarter), LIT)
    cut = NOON + round(cut_min * MINUTE)
    made.sweep.connect(ConnectionChange(at=cut, device_id=lamp, online=False) for lamp in LAMPS)

    assert made.until(DUSK) == []
    ((state, circuit, minute),) = made.until(7 * 60)
    assert (state, circuit) == ("firing", CIRCUIT)
    # The sun is 6 degrees below at 17:09 UTC; by the hours there is power from 16:00 UTC on.
    assert from_min <= minute < from_min + 20


def test_circuit_that_speaks_after_dusk_is_not_down() -> None:
    made = street(90.0, supply="night")
    send(made, -7 * 60 - 1, LIT)
    for quarter in range(16):
        send(made, 5 * 60 + 5 + 15 * quarter, LIT)

    assert made.until(8 * 60) == []


def test_circuit_without_a_plan_is_down_at_noon() -> None:
    made = street(90.0)
    send(made, -5, LIT)

    assert [state for state, _, _ in made.until(60)] == ["firing"]
