"""Arguments of the expression language's functions: how many, and which must be plain values.

Pure. Must not know single functions.
"""

from __future__ import annotations

import ast

from rules.context.memory.aggregates import MOST_REMEMBERED
from rules.definition.definition import Hold
from rules.definition.durations import duration_us, readings
from rules.definition.errors import RuleError
from rules.language.scope import Compiler, ExpressionType, wrong


def arguments(call: ast.Call, least: int, most: int, form: str) -> list[ast.expr]:
    """Return a call's arguments.

    Raises:
        RuleError: there are too few or too many; `form` says what to write.
    """
    if not least <= len(call.args) <= most:
        raise wrong(call, f"write {form}")
    return call.args


def duration(compiler: Compiler, node: ast.expr, depth: int, *others: str) -> int:
    """Return a duration such as "1m" in microseconds.

    Raises:
        RuleError: it is none.
    """
    text = compiler.wanted(node, depth, ExpressionType.TEXT).constant
    try:
        return duration_us(str(text), *others)
    except RuleError as error:
        raise wrong(node, error.message, error.suggestion) from None


def window(compiler: Compiler, node: ast.expr, depth: int, *, most_readings: int = MOST_REMEMBERED) -> Hold:
    """Return a window: "30m" of event time, or "12 readings".

    Raises:
        RuleError: it is neither, or longer than what can be remembered.
    """
    text = str(compiler.wanted(node, depth, ExpressionType.TEXT).constant)
    count = readings(text)
    if count is None:
        return Hold(readings=0, lasting_us=duration(compiler, node, depth, "readings"))
    if not 1 <= count <= most_readings:
        raise wrong(node, f"a window has 1 to {most_readings} readings")
    return Hold(readings=count)


def whole(compiler: Compiler, node: ast.expr, depth: int, low: int, high: int) -> int:
    """Return a whole number within limits.

    Raises:
        RuleError: it is another value.
    """
    value = compiler.wanted(node, depth, ExpressionType.NUMBER).constant
    if not isinstance(value, float) or value != int(value) or not low <= value <= high:
        raise wrong(node, f"a whole number from {low} to {high} is needed")
    return int(value)


def constant(compiler: Compiler, node: ast.expr, depth: int) -> float:
    """Return a plain number.

    Raises:
        RuleError: it is another value.
    """
    value = compiler.wanted(node, depth, ExpressionType.NUMBER).constant
    if not isinstance(value, float):
        raise wrong(node, "a plain number is needed")
    return value
