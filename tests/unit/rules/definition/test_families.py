"""Sweep rules in files: every family is read, every mistake is told with its place."""

from __future__ import annotations

import pytest

from alerts.transition import Severity
from devices.kinds import load
from rules.definition.errors import RulesRefused
from rules.definition.families import (
    Behind,
    ChildrenApart,
    ChildrenDown,
    Comparison,
    Forecast,
    Neighbours,
    NotRefreshed,
)
from rules.loading.files import default_packs, parse

KINDS = load()
HOUR = 3_600_000_000
SENTENCES = 'summary: {en: "{device}", fr: "{device}", ar: "{device}"}'


def rule(family: str, kind: str = "bin") -> str:
    return f"- id: watch\n  kind: {kind}\n  {SENTENCES}\n  {family}\n"


def test_children_down_is_read_with_shares_and_comparisons() -> None:
    dark = "power_w < 5 and voltage_v >= 0.8 * nominal_v"
    text = f"children_down: {{of: light, share: 0.5, within: 2m, dark: '{dark}'}}"

    (definition,) = parse(rule(text, "circuit"), KINDS)

    assert definition.kind == "circuit"
    assert definition.sweep == ChildrenDown(
        of="light",
        share=0.5,
        clear=0.3,
        within_us=120_000_000,
        at_least=3,
        missing=1.5,
        severity=Severity.CRITICAL,
        dark=(
            Comparison(measurement="power_w", operator="<", value=5),
            Comparison(measurement="voltage_v", operator=">=", value=0.8, factors=("nominal_v",)),
        ),
    )


def test_families_about_a_measurement_are_read_with_their_defaults() -> None:
    families = [
        parse(rule(text), KINDS)[0].sweep
        for text in (
            "not_refreshed: {measurement: fill_pct, missing: 12 intervals, at_least: 6h}",
            "neighbours: {measurement: temperature_c, within: 500 m, minimum: 10}",
            "forecast: {measurement: fill_pct, reaches: 85}",
        )
    ]

    assert families == [
        NotRefreshed(measurement="fill_pct", missing=12, at_least_us=6 * HOUR, severity=Severity.WARNING),
        Neighbours(
            measurement="temperature_c",
            within_m=500,
            at_least=5,
            off_by=6,
            minimum=10,
            lasting_us=HOUR // 2,
            severity=Severity.WARNING,
        ),
        Forecast(
            measurement="fill_pct",
            reaches=85,
            within_us=24 * HOUR,
            clear_us=42 * HOUR,
            emptied_by=8,
            severity=Severity.WARNING,
        ),
    ]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("forecast: {measurement: fil_pct, reaches: 85}", "bin", "did you mean fill_pct?"),
        ("forecast: {measurement: lid_open, reaches: 1}", "bin", "bin measures no number lid_open"),
        ("forecast: {measurement: fill_pct}", "bin", "forecast needs `reaches`"),
        ("forecast: {measurement: fill_pct, reach: 85}", "bin", "did you mean reaches?"),
        ("neighbours: {measurement: fill_pct, within: 5h}", "bin", "is not a distance such as 500 m"),
        ("not_refreshed: {measurement: fill_pct, missing: 6}", "bin", "is not a number of intervals"),
        ("children_down: {of: light}", "light", "there is no kind light"),
        ("children_down: {of: lights}", "circuit", "did you mean light?"),
        ("children_down: {of: light, share: 160%}", "circuit", "is not a share such as 60% or 0.6"),
        ("children_down: {of: light, dark: 'power_w = 5'}", "circuit", "is not comparisons such as"),
        ("children_down: {of: light, dark: 'power_kw < 5'}", "circuit", "did you mean power_w?"),
        (
            "children_down: {of: light, dark: 'power_w < 2 * rated_w'}",
            "circuit",
            "did you mean rated_power_w?",
        ),
        (
            "children_apart: {of: light, measurement: voltage_v, minimum: 12, group: phases}",
            "circuit",
            "light has no text 'phases'; did you mean phase?",
        ),
        ("forecast: {measurement: fill_pct, reaches: 85}", "any", "kind is one that is declared"),
    ],
)
def test_mistake_in_a_family_is_told_with_its_place(text: str, kind: str, message: str) -> None:
    with pytest.raises(RulesRefused, match=message.replace("?", r"\?")) as refused:
        parse(rule(text, kind), KINDS, file="town.yaml")

    assert str(refused.value).startswith("town.yaml:")


def test_summary_names_only_what_its_family_knows() -> None:
    text = rule("forecast: {measurement: fill_pct, reaches: 85}").replace('en: "{device}"', 'en: "{hour}"')

    with pytest.raises(RulesRefused, match=r"nothing is called \{hour\}; did you mean hours\?"):
        parse(text, KINDS)


def test_default_packs_hold_the_sweep_rules_of_every_kind() -> None:
    families = {d.id: type(d.sweep) for d in default_packs(KINDS) if d.sweep}

    assert families == {
        "circuit-down": ChildrenDown,
        "gateway-down": ChildrenDown,
        "circuit-voltage": ChildrenApart,
        "bin-full-soon": Forecast,
        "firmware-behind": Behind,
        "bin-temperature-missing": NotRefreshed,
        "light-voltage-apart": Neighbours,
        "light-told-apart": Neighbours,
    }


def test_condition_in_the_gate_of_a_sweep_rule_is_refused_with_the_reason() -> None:
    text = """
- id: quiet
  kind: bin
  summary: {en: a, fr: b, ar: c}
  silent: {missing: 3 intervals}
  when: {local_time: "22:00-06:00", condition: fill_pct > 5}
"""
    with pytest.raises(RulesRefused) as refused:
        parse(text, load())

    (error,) = refused.value.errors
    assert (error.line, error.message) == (
        6,
        "a sweep rule looks at many devices, not at a reading: it has no condition",
    )
