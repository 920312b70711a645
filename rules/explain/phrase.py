"""A condition as a phrase: labels, relations and functions in the reader's words, never an expression.

Pure. What the rule's author wrote stands beside it wherever somebody may want to change the rule.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from devices.texts.catalogue import plural, text
from devices.texts.languages import Language
from rules.definition.definition import Text
from rules.definition.durations import readings
from rules.definition.summary import truth
from rules.explain.wording import in_words

RELATIONS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "below",
    ast.LtE: "at_most",
    ast.Eq: "equal",
    ast.NotEq: "unequal",
    ast.Gt: "above",
    ast.GtE: "at_least",
    ast.In: "among",
    ast.NotIn: "not_among",
}
"""What each comparison is called in the catalogue."""
_SIGNS: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "÷"}
_COMPUTED = ("abs", "curve", "distance_m", "last", "max", "min", "only", "outside")
_HISTORY = ("baseline", "count", "delta", "flat", "n_of", "rate", "total", "trend")
_STATES = (
    "away_m", "clock_corrected", "clock_unset", "empty", "frozen", "interleaved", "lag", "sun", "suspect",
    "word_unknown", "words_unknown",
)  # fmt: skip
WORDED = frozenset({*_COMPUTED, *_HISTORY, *_STATES})
"""Functions that have words of their own in the catalogue."""


_SPAN = re.compile(r"(\d+)([smhd])")
_UNITS: Mapping[str, str] = {
    "s": "duration.second",
    "m": "duration.minute",
    "h": "duration.hour",
    "d": "duration.day",
}


def phrase(expression: str, labels: Mapping[str, Text], language: Language) -> str:
    """Return an expression in words; one that is none (a part of `when`) with its names replaced."""
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError:
        return in_words(expression, labels, language)
    return _Phrasing(labels, language).said(tree)


class _Phrasing:
    def __init__(self, labels: Mapping[str, Text], language: Language) -> None:
        self._labels = labels
        self._language: Language = language

    def said(self, node: ast.expr) -> str:
        """Return a part in words."""
        match node:
            case ast.BoolOp():
                word = self._text("expression.and" if isinstance(node.op, ast.And) else "expression.or")
                return f" {word} ".join(self._inner(one) for one in node.values)
            case ast.UnaryOp(op=ast.Not()):
                return self._text("relation.untrue", x=self._inner(node.operand))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)):
                return f"−{value!r}"
            case ast.Compare():
                return self._compared(node)
            case ast.BinOp() if type(node.op) in _SIGNS:
                return f"{self._inner(node.left)} {_SIGNS[type(node.op)]} {self._inner(node.right)}"
            case ast.Call(func=ast.Name(id=name)):
                return self._called(name, node.args)
            case ast.Tuple() | ast.List() | ast.Set():
                return self._listed(node.elts)
            case ast.Constant(value=bool(value)):
                return truth(self._language, value)
            case ast.Constant(value=value):
                return str(value)
            case ast.Name(id=name):
                return self._named(name)
        return in_words(ast.unparse(node), self._labels, self._language)

    def _compared(self, node: ast.Compare) -> str:
        parts = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            relation = RELATIONS.get(type(op), "equal")
            parts.append(self._text(f"relation.{relation}", x=self._inner(left), limit=self._inner(right)))
            left = right
        return f" {self._text('expression.and')} ".join(parts)

    def _called(self, name: str, args: list[ast.expr]) -> str:
        if name == "attr" and args and isinstance(args[0], ast.Name | ast.Constant):
            first = args[0]
            return self._named(first.id if isinstance(first, ast.Name) else str(first.value))
        if name in ("min", "max"):
            return self._text(f"function.{name}", x=self._listed(args))
        if name not in WORDED:
            return self._listed(args) or name
        written = [str(a.value) if isinstance(a, ast.Constant) else ast.unparse(a) for a in args]
        return self._text(
            f"function.{name}",
            x=self.said(args[0]) if args else "",
            w=window(written[-1], self._language) if len(written) > 1 else "",
            n=written[1] if len(written) > 1 else "",
        )

    def _listed(self, parts: list[ast.expr]) -> str:
        return ("، " if self._language == "ar" else ", ").join(self.said(one) for one in parts)

    def _named(self, name: str) -> str:
        label = self._labels.get(name)
        return label.get(self._language, name) if label else name

    def _inner(self, node: ast.expr) -> str:
        said = self.said(node)
        negated = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        return f"({said})" if negated or isinstance(node, ast.BoolOp | ast.BinOp) else said

    def _text(self, key: str, **values: str) -> str:
        return text(self._language, key, **values)


def window(written: str, language: Language) -> str:
    """Return a span of time such as "30d", and "3 readings" or "3", in words."""
    number = int(written) if written.isdecimal() else readings(written)
    if number is not None:
        return plural(language, "evidence.readings", number)
    span = _SPAN.fullmatch(written)
    return plural(language, _UNITS[span[2]], int(span[1])) if span else written
