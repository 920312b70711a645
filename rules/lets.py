"""In which order the names of a rule's `let` are computed: each after those it is made of.

Pure. The order in which they were written is no help: a database that keeps JSON forgets it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress


def in_order(let: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return names with their expressions, each after those it names; circles come last, as they are."""
    waiting = {name: (_names(text) & let.keys()) - {name} for name, text in let.items()}
    ordered: list[str] = []
    while ready := [name for name in waiting if not waiting[name] - set(ordered)]:
        ordered += ready
        for name in ready:
            del waiting[name]
    return [(name, let[name]) for name in [*ordered, *waiting]]


def _names(text: str) -> set[str]:
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return {
            node.id for node in ast.walk(ast.parse(text.strip(), mode="eval")) if isinstance(node, ast.Name)
        }
    return set()
