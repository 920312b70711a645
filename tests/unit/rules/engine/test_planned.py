"""A device that is only planned raises nothing, whatever it sends, and is judged from its installation on."""

from __future__ import annotations

from devices.registry.life import NOT_YET
from rules.context.attributes import Facts
from tests.unit.rules.readings import MINUTE, NOON, Evaluator, at, rule, told

HOT = rule("levels: {critical: temperature_c > 65}\nwhen: {maintenance: look}")


def hot(installed_at: int) -> Evaluator:
    return Evaluator(HOT, facts={1: Facts(attributes={}, installed_at=installed_at), 2: Facts(attributes={})})


def test_planned_device_raises_nothing_and_its_neighbour_does() -> None:
    evaluator = hot(NOT_YET)

    made = evaluator.feed(at(0, temperature_c=90.0), at(1, device=2, temperature_c=90.0))

    assert [(t.device_id, *told([t])[0]) for t in made] == [(2, "firing", "critical", 1)]


def test_device_is_judged_by_what_was_received_since_its_installation() -> None:
    evaluator = hot(NOON + 5 * MINUTE)

    made = evaluator.feed(*(at(minute, temperature_c=90.0) for minute in (0, 4, 6, 7)))

    assert told(made) == [("firing", "critical", 6)]
