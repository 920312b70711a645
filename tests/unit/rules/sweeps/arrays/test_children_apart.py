"""One cause, one alert: a phase that is low is told at its circuit, a bad joint at its pole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rules.language.program import Rule
from rules.loading.files import default_packs
from rules.sweeps.arrays.build import over_arrays
from tests.unit.rules.readings import KINDS
from tests.unit.rules.sweeps.arrays.town import Replayed, device, now, registry

CIRCUIT = 100
LAMPS = tuple(range(1, 10))
RULES = {d.id: Rule(definition=d, version=1) for d in default_packs(KINDS)}


def street(rule: str = "circuit-voltage", phases: Sequence[str] = ()) -> Replayed:
    """Return nine lamps on one circuit; `phases` name in turns on which each hangs."""
    own: list[dict[str, Any]] = [
        {"phase": phases[n % len(phases)]} if phases else {} for n in range(len(LAMPS))
    ]
    lamps = [device(n, "light", parent=CIRCUIT, **a) for n, a in zip(LAMPS, own, strict=True)]
    devices = [device(CIRCUIT, "circuit"), *lamps]
    light = KINDS["light"]
    return Replayed(over_arrays(RULES[rule], light, registry(devices), lamps, {}, -(1 << 60)), light)


def send(made: Replayed, minutes: Sequence[float], volts: Mapping[int, float], usual: float = 230.0) -> None:
    for minute in minutes:
        made.send(*(now(minute, n, voltage_v=volts.get(n, usual)) for n in LAMPS), interval_min=15)


EVERY_THIRD = dict.fromkeys((1, 4, 7), 188.0)


def test_low_phase_is_one_alert_on_the_circuit_and_ends_when_it_is_right() -> None:
    made = street()
    send(made, (0, 15, 30), EVERY_THIRD)
    send(made, (45, 60), {})

    assert made.until(61) == [("firing", CIRCUIT, 10), ("resolved", CIRCUIT, 45)]


@pytest.mark.parametrize(
    ("volts", "usual", "told"),
    [
        ({3: 188.0}, 230.0, False),
        ({3: 188.0, 5: 190.0}, 230.0, False),
        (dict.fromkeys((1, 2, 4, 5, 7, 8), 188.0), 230.0, True),
        ({}, 188.0, True),
        ({}, 262.0, True),
        (dict.fromkeys((1, 4, 7), 214.0), 231.0, True),
        ({1: 226.0, 4: 224.0, 7: 222.0}, 230.0, False),
        ({1: 190.0, 4: 262.0, 7: 205.0}, 230.0, False),
        ({1: 192.0, 4: 165.0, 7: 205.0}, 230.0, False),
    ],
)
def test_circuit_is_told_when_several_are_off_in_one_direction(
    volts: Mapping[int, float], usual: float, told: bool
) -> None:
    made = street()
    send(made, (0, 15), volts, usual)

    assert made.until(20) == ([("firing", CIRCUIT, 10)] if told else [])


def test_two_lamps_of_one_declared_phase_are_enough_and_one_is_not() -> None:
    phases = ("L1", "L2", "L3", "L2", "L3", "L2", "L3", "L2", "L3")
    two = street(phases=("L1", *phases[1:4], "L1", *phases[5:]))
    send(two, (0, 15), {1: 188.0, 5: 189.0})
    one = street(phases=phases)
    send(one, (0, 15), {1: 188.0})

    assert two.until(20) == [("firing", CIRCUIT, 10)]
    assert one.until(20) == []


def test_bad_joint_is_still_told_at_its_pole_and_phases_have_an_explanation() -> None:
    made = street("light-voltage-apart")
    send(made, (0, 15, 30, 45), {3: 188.0})

    assert made.until(50) == [("firing", 3, 30)]
    for rule in ("light-under-voltage", "light-over-voltage", "light-voltage-apart"):
        assert "circuit-voltage" in RULES[rule].definition.suppress_by


def test_suspicion_that_ends_before_it_has_lasted_is_forgotten() -> None:
    made = street()
    send(made, (0,), EVERY_THIRD)
    send(made, (5,), {})
    send(made, (20, 35), EVERY_THIRD)

    assert made.until(40) == [("firing", CIRCUIT, 30)]


def test_lamp_that_says_it_is_told_to_be_dark_among_lit_ones_is_told() -> None:
    made = street("light-told-apart")
    for minute in (0, 15, 30, 45):
        made.send(
            *(now(minute, n, commanded_dim_pct=0.0 if n == 2 else 100.0) for n in LAMPS), interval_min=15
        )

    assert made.until(50) == [("firing", 2, 30)]


def test_incident_does_not_end_because_most_lamps_were_not_heard_for_a_while() -> None:
    made = street()
    send(made, (0, 15, 30), EVERY_THIRD)
    made.send(now(61, 2, voltage_v=230.0), interval_min=15)
    send(made, (90,), EVERY_THIRD)
    send(made, (105,), {})

    assert made.until(110) == [("firing", CIRCUIT, 10), ("resolved", CIRCUIT, 105)]
