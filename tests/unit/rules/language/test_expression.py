"""Conditions: what they may say, what they yield, and what a person is told who mistypes one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rules.context.attributes import Facts, build
from rules.context.context import RuleContext
from rules.definition.errors import RuleError
from rules.language.expression import compile_condition, compile_expression
from rules.language.scope import Scope
from tests.unit.rules.readings import BIN, KINDS, Reading, at, columns_of


def value_of(text: str, reading: Reading, kind: str = "bin", **attributes: Any) -> float:
    """Evaluate an expression on one reading."""
    scope = Scope(kind=KINDS[kind], rule="r")
    typed = compile_expression(text, scope)
    known = build(
        {1: Facts(attributes=attributes)}, numbers=scope.numbers, texts=scope.texts, polygons=scope.polygons
    )
    columns = columns_of([reading], KINDS[kind])
    return float(typed.compute(RuleContext(columns, np.array([0]), known))[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fill_pct > 50", 1),
        ("50 < fill_pct <= 60", 1),
        ("50 < fill_pct < 60", 0),
        ("fill_pct + 2 * 3 - 4 / 2 == 64", 1),
        ("-fill_pct < 0 and not lid_open", 1),
        ("lid_open == false", 1),
        ("max(fill_pct, 70) == 70 and min(1, 2, 3) == 1 and abs(-3) == 3", 1),
        ("fill_pct in (10, 60)", 1),
        ("fill_pct not in (10, 60)", 0),
        ("attr(stored_waste_kind) == 'glass'", 1),
        ("attr(volume_l) == 1100 and attr(anything, 7) == 7", 1),
        ("attr('volume_l', 5) == 5", 1),
        ("temperature_c > 0", math.nan),
        ("fill_pct / 0 > 1", math.nan),
        ("temperature_c > 0 or fill_pct > 50", 1),
        ("temperature_c > 0 and fill_pct > 90", 0),
        ("temperature_c > 0 and fill_pct > 50", math.nan),
        ("not (temperature_c > 0)", math.nan),
    ],
)
def test_expression_yields_what_arithmetic_and_three_truths_say(text: str, expected: float) -> None:
    reading = at(0, fill_pct=60.0, lid_open=0.0)

    assert value_of(text, reading, stored_waste_kind="glass") == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('flight_phase == "spraying"', 1),
        ('flight_phase != "spraying"', 0),
        ('flight_phase in ("docked", "fault")', 0),
        ('zone == "north"', math.nan),
        ('zone in ("north", "south")', math.nan),
        ("distance_m(lat, lon, attr(home_lat), attr(home_lon)) > 1000", 1),
        ("outside(attr(geofence))", 0),
    ],
)
def test_text_and_places_are_compared_too(text: str, expected: float) -> None:
    square = {"type": "Polygon", "coordinates": [[[13, 32], [14, 32], [14, 33], [13, 33], [13, 32]]]}
    reading = at(0, flight_phase="spraying", lat=32.5, lon=13.5)

    found = value_of(text, reading, "drone", geofence=square, home_lat=32.5, home_lon=13.6)

    assert found == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "column", "message", "suggestion"),
    [
        ("fil_pct > 3", 1, "bin measures no fil_pct", "fill_pct"),
        ("fill_pct > 3 and tilt > 2", 18, "bin measures no tilt", "tilt_deg"),
        ("fill_pct", 1, "a condition is needed, this is a number", None),
        ("fill_pct and 3 > 2", 1, "a condition is needed here", None),
        ("fill_pct = 3", 0, "not an expression", "=="),
        ("fill_pct > ", 0, "not an expression", None),
        ("fill_pct > 'high'", 12, "a number is needed here, this is a text", None),
        ("attr(volume) > 3", 6, "declares no attribute volume", "volume_l"),
        ("rat(fill_pct, '1m') > 3", 1, "no function rat", "rate"),
        ("rate(fill_pct, 'soon') > 3", 16, "not a duration", None),
        ("delta > 3", 1, "delta is a function", None),
        ("outside(attr(volume_l))", 9, "a polygon is needed", None),
        ("fill_pct ** 2 > 3", 1, "arithmetic is", None),
        ("fill_pct.real > 3", 1, "not attribute", None),
        ("__import__('os').system('ls') > 3", 1, "by its name", None),
        ("(lambda: 1)() > 2", 1, "by its name", None),
        ("[x for x in (1, 2)] == 3", 1, "not listcomp", None),
        ("fill_pct > 1e999", 12, "is not a value", None),
        ("1 if lid_open else 2", 1, "not ifexp", None),
        ("-" * 60 + "1 > 0", 41, "nested too deeply", None),
        ("(" * 600 + "1", 0, "not an expression", None),
        ("fill_pct > 1 " + "or fill_pct > 1 " * 100, 1, "at most 1000", None),
    ],
)
def test_mistake_is_told_with_its_column_and_a_suggestion(
    text: str, column: int, message: str, suggestion: str | None
) -> None:
    with pytest.raises(RuleError) as caught:
        compile_condition(text, Scope(kind=BIN, rule="r"))

    assert message in caught.value.message
    assert caught.value.suggestion == suggestion
    if column:  # where syntax ends unexpectedly, Python versions point to different places
        assert caught.value.column == column


def test_text_that_never_occurs_is_refused_with_the_choice_that_was_meant() -> None:
    with pytest.raises(RuleError, match="flight_phase is never 'sprayin'") as caught:
        compile_expression('flight_phase == "sprayin"', Scope(kind=KINDS["drone"], rule="r"))

    assert caught.value.suggestion == '"spraying"'
