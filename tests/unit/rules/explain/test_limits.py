"""Limits of rules as numbers."""

from __future__ import annotations

from rules.explain.limits import limits_of

NAMES = ("fill_pct", "temperature_c", "dim_pct", "commanded_dim_pct")


def found(levels: dict[str, str], let: dict[str, str] | None = None, **attributes: object) -> list[str]:
    limits = limits_of("a-rule", levels, let or {}, NAMES, attributes)
    return [f"{one.severity} {one.measurement} {one.side} {one.value:g}" for one in limits]


def test_limits_stand_beside_a_number_an_attribute_and_behind_a_name() -> None:
    levels = {"warning": "fill_pct >= attr(overflow_at, 85) and not blocked", "critical": "95 < fill_pct"}

    assert found(levels) == ["warning fill_pct above 85", "critical fill_pct above 95"]
    assert found(levels, overflow_at=70)[0] == "warning fill_pct above 70"
    assert found(levels, overflow_at="much")[0] == "warning fill_pct above 85"
    hot = 'temperature_c > 70 or (temperature_c > 45 and rate(temperature_c, "1m") > 5)'
    assert found({"major": f"fill_pct < 5 or {hot}"}) == [
        "major fill_pct below 5",
        "major temperature_c above 70",
    ]
    assert found({"major": "cold and not off"}, {"cold": "temperature_c <= -10", "off": "dim_pct < 1"}) == [
        "major temperature_c below -10"
    ]


def test_what_is_no_single_number_has_no_limit() -> None:
    assert found({"major": "dim_pct < commanded_dim_pct"}) == []
    assert found({"major": 'rate(temperature_c, "1m") > 5'}) == []
    assert found({"major": "temperature_c < 3 and dim_pct > 1"}) == [], "both must hold"
    assert found({"major": "battery_v < 3"}) == [], "not a measurement of the kind"
    assert found({"major": "this is ] none"}) == []
    assert found({"major": "turn"}, {"turn": "turn"}) == []


def test_names_of_names_cost_no_more_than_once_each() -> None:
    let = {f"n{i}": " or ".join([f"n{i + 1}"] * 8) for i in range(30)} | {"n30": "fill_pct > 5"}

    assert found({"major": "n0"}, let) == ["major fill_pct above 5"]
