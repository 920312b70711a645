"""The conclusions of a kind, compiled once for all rules of a program that name them.

Pure. A rule whose `let` says the same shares result and past; one that is compiled alone has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devices.kinds.kind import Kind
from rules.definition.errors import RuleError
from rules.definition.lets import in_order
from rules.language.expression import compile_expression
from rules.language.scope import Expression, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledConclusion:
    """One conclusion ready to use. shown, limits: what evidence shows of it, see Scope."""

    means: str
    expression: Expression
    shown: Mapping[str, Expression]
    limits: frozenset[str]


def compile_conclusions(kind: Kind, scope: Scope) -> dict[str, CompiledConclusion]:
    """Compile all conclusions of a kind into a scope of their own; histories are added to it.

    One that is wrong is left out: the rules that name it were refused.
    """
    found: dict[str, CompiledConclusion] = {}
    for name, text in in_order({c.name: c.means for c in kind.conclusions}):
        scope.shown, scope.limits = {}, set()
        try:
            typed = compile_expression(text, scope)
        except RuleError:
            continue
        scope.lets[name] = _kept(typed, name)
        for inner in found.keys() & scope.shown.keys():
            scope.shown |= found[inner].shown
            scope.limits |= found[inner].limits
        # What was measured and is known says why; how it was computed would only be in the way.
        shown = {n: one for n, one in scope.shown.items() if n.isidentifier() and n not in found}
        found[name] = CompiledConclusion(
            means=text, expression=scope.lets[name], shown=shown, limits=frozenset(scope.limits)
        )
    return found


def _kept(typed: Expression, name: str) -> Expression:
    key = ("conclusion", name)
    return Expression(typed.type, lambda c: c.keep(key, lambda: typed.compute(c)), typed.constant)
