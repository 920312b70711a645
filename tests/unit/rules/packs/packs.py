"""Builders for tests of the default rules: readings in a row, and the rules that fire on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rules.context.attributes import Facts
from rules.engine.evaluate import step
from rules.engine.state import RuleState
from rules.language.program import Rule, compile_program
from rules.loading.files import PACKS, parse
from tests.unit.rules.readings import KINDS, Evaluator, Reading, at, attributes_for, columns_of

SQUARE = {"type": "Polygon", "coordinates": [[[13, 32], [14, 32], [14, 33], [13, 33], [13, 32]]]}
FACTS = {
    1: Facts(
        attributes={
            "geofence": SQUARE,
            "zone_area": SQUARE,
            "home_lat": 32.5,
            "home_lon": 13.5,
            "tank_capacity_l": 40.0,
        },
        lat=32.9,
        lon=13.2,
    )
}
"""A device in Tripoli; noon in the tests is noon UTC."""
NIGHT = 10 * 60
"""Minutes after noon at which it is dark there."""


def fired(kind: str, *readings: Reading) -> set[str]:
    """Return the ids of the default rules that fire."""
    text = (PACKS / f"{kind}.yaml").read_text(encoding="utf-8")
    return {t.rule for t in Evaluator(text, KINDS[kind], FACTS).feed(*readings)}


def fired_of(
    pack: str,
    kind: str,
    readings: list[Reading],
    lag_s: Callable[[int], float] = lambda i: 1.0,
    quality: int = 0,
) -> set[str]:
    """Return the ids of the rules of another pack that fire on a kind, readings received after a lag."""
    text = (PACKS / f"{pack}.yaml").read_text(encoding="utf-8")
    rules = [Rule(definition=d, version=1) for d in parse(text, KINDS) if d.levels]
    program = compile_program(KINDS[kind], rules)
    columns = columns_of(readings, KINDS[kind])
    columns.quality |= quality
    columns.received_at = columns.observed_at + np.array(
        [round(lag_s(i) * 1e6) for i in range(len(readings))]
    )
    return {t.rule for t in step(program, RuleState(program), columns, attributes_for(program)).transitions}


def every(minutes: float, count: int, start: float = 0, **values: Any) -> list[Reading]:
    return [at(start + minutes * i, **values) for i in range(count)]
