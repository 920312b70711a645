"""What applying a file would change, told key by key."""

from __future__ import annotations

from rules.loading.diff import DifferenceType, as_yaml, differences
from rules.loading.files import parse
from tests.unit.rules.readings import KINDS, rule

BEFORE = rule("levels: {warning: fill_pct >= 85}\nfor: 2 readings\nroute: waste")
AFTER = rule("levels: {warning: fill_pct >= 80}\nfor: 2 readings")


def test_diff_names_the_keys_that_differ() -> None:
    in_force = {"r": parse(BEFORE, KINDS)[0].source}

    (found,) = differences(in_force, parse(AFTER, KINDS))

    assert found.change is DifferenceType.CHANGED
    assert found.keys == ("levels", "route")
    assert "-    warning: fill_pct >= 85" in found.text
    assert "+    warning: fill_pct >= 80" in found.text
    assert "summary" not in found.keys


def test_diff_says_unchanged_when_only_the_order_of_keys_differs() -> None:
    shuffled = dict(reversed(list(parse(BEFORE, KINDS)[0].source.items())))

    (found,) = differences({"r": shuffled}, parse(BEFORE, KINDS))

    assert found.change is DifferenceType.UNCHANGED
    assert found.text == ""


def test_diff_tells_of_rules_that_would_go_only_when_others_are_removed() -> None:
    in_force = {"other": parse(BEFORE, KINDS)[0].source}

    kept = differences(in_force, parse(AFTER, KINDS))
    removed = differences(in_force, parse(AFTER, KINDS), remove_others=True)

    assert [(d.rule, d.change) for d in kept] == [("r", DifferenceType.ADDED)]
    assert [(d.rule, d.change) for d in removed] == [
        ("other", DifferenceType.REMOVED),
        ("r", DifferenceType.ADDED),
    ]


def test_rule_shown_as_yaml_can_be_applied_again() -> None:
    (definition,) = parse(BEFORE, KINDS)

    assert parse(as_yaml(definition.source), KINDS)[0].source == definition.source
