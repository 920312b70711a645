"""Conditions taken apart into their terms."""

from __future__ import annotations

from rules.explain.terms import leaves


def test_condition_falls_apart_into_its_comparisons() -> None:
    found = leaves('a > 1 and (b < 2 or not spraying) and 3 < c <= attr(limit, 5) and mode in ("x", "y")')

    assert [leaf.text for leaf in found] == [
        "a > 1",
        "b < 2",
        "spraying",
        "3 < c",
        "c <= attr(limit, 5)",
        "mode in ('x', 'y')",
    ]


def test_term_is_told_once_when_it_is_said_twice() -> None:
    assert [leaf.text for leaf in leaves("a > 1 or (a > 1 and b > 2)")] == ["a > 1", "b > 2"]
