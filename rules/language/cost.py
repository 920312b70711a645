"""What a rule costs to evaluate: an estimate from its text, in passes over the columns of a batch. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from rules.definition.definition import Definition
from rules.definition.errors import RuleError

MOST_COST = 500
MOST_LETS = 64

_DEAR = {
    "baseline": 40,
    "trend": 40,
    "flat": 20,
    "frozen": 20,
    "outside": 20,
    "count": 10,
    "n_of": 10,
    "rate": 5,
    "delta": 5,
    "total": 5,
    "last": 5,
    "curve": 10,
    "sun": 5,
}
"""Functions of a device's own past, and those that are computed row by row."""


def cost(definition: Definition) -> int:
    """Return the passes that all expressions of a rule take together; a `let` is computed once."""
    gate = definition.when.condition if definition.when is not None else None
    texts = [*definition.let.values(), *definition.levels.values(), definition.clear, gate]
    return sum(_of_text(text) for text in texts if text)


def check_cost(definition: Definition) -> None:
    """Refuse a rule that would hold up every batch.

    Raises:
        RuleError: it costs more than MOST_COST, or has more than MOST_LETS names of its own.
    """
    if len(definition.let) > MOST_LETS:
        raise RuleError(f"let has {len(definition.let)} names, at most {MOST_LETS} are taken")
    passes = cost(definition)
    if passes > MOST_COST:
        raise RuleError(f"the rule costs {passes} passes over each batch, at most {MOST_COST} are allowed")


def _of_text(text: str) -> int:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 1  # told with its place by the compiler
    return sum(_of_nodes(ast.walk(tree)))


def _of_nodes(nodes: Iterable[ast.AST]) -> Iterable[int]:
    for node in nodes:
        if isinstance(node, ast.Call):
            yield _DEAR.get(node.func.id, 1) if isinstance(node.func, ast.Name) else 1
        elif isinstance(node, ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp):
            yield 1
