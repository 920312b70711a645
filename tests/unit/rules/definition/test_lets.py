"""Names of `let` are computed in the order they need, not in the one they are written or stored in."""

from __future__ import annotations

from rules.definition.lets import in_order
from rules.loading.files import parse
from tests.unit.rules.readings import KINDS, Evaluator, at, rule


def test_name_comes_after_those_it_is_made_of_whatever_their_order() -> None:
    let = {"c": "a + b", "b": "a * 2", "a": "fill_pct"}

    assert [name for name, _ in in_order(let)] == ["a", "b", "c"]


def test_name_made_of_the_measurement_it_is_called_after_is_no_circle() -> None:
    assert in_order({"fill_pct": "fill_pct / 100"}) == [("fill_pct", "fill_pct / 100")]


def test_circle_and_nonsense_are_left_for_whoever_compiles_them() -> None:
    let = {"a": "b", "b": "a", "c": "(("}

    assert sorted(in_order(let)) == sorted(let.items())


def test_rule_works_when_its_names_stand_in_the_wrong_order() -> None:
    text = rule("let: {twice: half * 4, half: fill_pct / 2}\nlevels: {warning: twice > 100}")
    evaluator = Evaluator(text)

    assert parse(text, KINDS)
    assert len(evaluator.feed(at(0, fill_pct=60))) == 1
