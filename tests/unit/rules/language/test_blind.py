"""Conditions that a measurement which never comes leaves undecided for ever."""

from __future__ import annotations

import pytest

from rules.language.blind import blind_conditions, is_blind
from rules.loading.files import parse
from tests.unit.rules.readings import BIN, KINDS, rule


def blind(body: str) -> list[tuple[str, str]]:
    (definition,) = parse(rule(body), KINDS)
    return [(one.part, one.measurement) for one in blind_conditions(definition, BIN)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("levels: {major: battery_v < 3.2}", []),
        (
            "levels: {major: battery_v < 3.2 and temperature_c > 5}",
            [("levels.major", "battery_v"), ("levels.major", "temperature_c")],
        ),
        (
            "levels: {major: 'battery_v < 3.2 and known(temperature_c > 5, true)'}",
            [("levels.major", "battery_v")],
        ),
        ("levels: {major: battery_v < 3.2 or battery_pct < 5}", []),
        (
            "levels: {major: battery_v < 3.2}\nclear: battery_v > 3.5 and battery_pct > 50",
            [("clear", "battery_pct"), ("clear", "battery_v")],
        ),
        (
            "levels: {major: battery_v < 3.2}\nwhen: {condition: temperature_c > 5 and tilt_deg < 9}",
            [("when", "temperature_c"), ("when", "tilt_deg")],
        ),
        (
            "let: {cold: temperature_c < 5}\nlevels: {major: battery_v < 3.2 and not cold}",
            [("levels.major", "battery_v"), ("levels.major", "temperature_c")],
        ),
        (
            "levels: {major: 'fill_pct > 90 and n_of(tilt_deg > 60, 1, 3)'}",
            [("levels.major", "fill_pct"), ("levels.major", "tilt_deg")],
        ),
        ("levels: {major: 'fill_pct > 90 or known(away_m() > 30, false)'}", []),
    ],
)
def test_condition_is_named_with_the_measurement_it_cannot_do_without(
    body: str, expected: list[tuple[str, str]]
) -> None:
    assert blind(body) == expected


def test_rule_is_blind_once_no_level_can_hold() -> None:
    (definition,) = parse(rule("levels: {minor: battery_pct < 9, major: battery_v < 3.2}"), KINDS)

    assert not is_blind(definition, BIN, {"battery_v"})
    assert is_blind(definition, BIN, {"battery_v", "battery_pct"})
