"""The order in which the names of a rule's `let` are computed: each after those it uses.

Pure. The order in which they were written does not matter: jsonb does not keep it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress


def in_order(let: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return names with their expressions, each after those it names; circles come last, as they are."""
    waiting = {name: (names_in(text) & let.keys()) - {name} for name, text in let.items()}
    ordered: list[str] = []
    while ready := [name for name in waiting if not waiting[name] - set(ordered)]:
        ordered += ready
        for name in ready:
            del waiting[name]
    return [(name, let[name]) for name in [*ordered, *waiting]]


def depending(let: Mapping[str, str], name: str) -> set[str]:
    """Return a name of `let` with all that are made of it, however indirectly."""
    found = {name}
    while more := {n for n, text in let.items() if n not in found and names_in(text) & found}:
        found |= more
    return found


def stand_in(text: str) -> str | None:
    """Return a plain value of the type an expression seems to have, None when it does not show."""
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        match ast.parse(text.strip(), mode="eval").body:
            case ast.BoolOp() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return "true"
            case ast.BinOp():
                return "0"
    return None


def names_in(text: str) -> set[str]:
    """Return the names an expression uses, functions included; none when it is no expression."""
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return {
            node.id for node in ast.walk(ast.parse(text.strip(), mode="eval")) if isinstance(node, ast.Name)
        }
    return set()
