"""A condition taken apart into its comparisons (terms), each as a small rule of its own: a probe.

Pure. A probe has no hold, so what it yields on a reading is the truth of the term. Must not know state.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from alerts.transition import Severity
from rules.definition.definition import Definition, Hold

LEFT, RIGHT = "left_side", "right_side"
"""Names under which a probe shows what is compared."""

_SYMBOLS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One comparison, or one truth that stands alone.

    left, right: expressions; right is None where nothing is compared. fixed: right is a plain value.
    """

    text: str
    left: str
    operator: str = ""
    right: str | None = None
    fixed: bool = False

    @property
    def names(self) -> frozenset[str]:
        """Every bare name in it."""
        nodes = ast.walk(ast.parse(self.text, mode="eval"))
        return frozenset(node.id for node in nodes if isinstance(node, ast.Name))


def leaves(condition: str) -> list[Leaf]:
    """Return the terms of a condition that was compiled before, in its order, each once."""
    tree = ast.parse(condition.strip(), mode="eval").body
    return list({leaf.text: leaf for leaf in _leaves(tree)}.values())


def _leaves(node: ast.expr) -> Iterator[Leaf]:
    match node:
        case ast.BoolOp():
            for value in node.values:
                yield from _leaves(value)
        case ast.UnaryOp(op=ast.Not()):
            yield from _leaves(node.operand)
        case ast.Compare():
            left = node.left
            for op, right in zip(node.ops, node.comparators, strict=True):
                yield _pair(left, op, right)
                left = right
        case _:
            text = ast.unparse(node)
            yield Leaf(text=text, left=text)


def _pair(left: ast.expr, op: ast.cmpop, right: ast.expr) -> Leaf:
    sides, symbol = (ast.unparse(left), ast.unparse(right)), _SYMBOLS[type(op)]
    listed = isinstance(right, ast.Tuple | ast.List | ast.Set)
    return Leaf(
        text=f"{sides[0]} {symbol} {sides[1]}",
        left=sides[0],
        operator=symbol,
        right=sides[1],
        fixed=listed or isinstance(right, ast.Constant),
    )


def probe(leaf: Leaf, definition: Definition, name: str) -> Definition:
    """Return a rule that holds exactly while a term of `definition` does."""
    let = {**definition.let, LEFT: leaf.left}
    condition = LEFT
    if leaf.right is not None:
        condition = f"{LEFT} {leaf.operator} {leaf.right}"
        if not leaf.fixed:
            let[RIGHT] = leaf.right
            condition = f"{LEFT} {leaf.operator} {RIGHT}"
    return Definition(
        id=name,
        kind=definition.kind,
        summary={},
        levels={Severity.WARNING: condition},
        let=let,
        hold=Hold(),
        keep_firing=Hold(),
        max_gap=definition.max_gap,
        use_suspect=definition.use_suspect,
    )
