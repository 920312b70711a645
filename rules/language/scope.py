"""What an expression may name and what it yields: the types that compiling one rule uses.

Pure. Must not know syntax (rules.language.expression) or single functions (rules.language.functions).
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from numpy.typing import NDArray

from devices.kinds.kind import Attribute, Kind, Measurement
from rules.context.context import RuleContext
from rules.context.memory.view import HistoryView
from rules.definition.definition import MaxGap
from rules.definition.errors import RuleError

Compute = Callable[[RuleContext], NDArray[Any]]


class ExpressionType(StrEnum):
    """What an expression yields."""

    NUMBER = "a number"
    CONDITION = "a condition"
    TEXT = "a text"
    POLYGON = "a polygon"


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled (part of an) expression; `measurement` is the number that it is, unchanged."""

    type: ExpressionType
    compute: Compute
    constant: float | str | None = None
    measurement: Measurement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFunction:
    """What one function remembers of each device's past, in constant size.

    key: the call as it is written. compute: yields a result for all rows of a step. values, instants: how
    many numbers and instants it remembers of a device.
    """

    key: str
    rule: str
    compute: Callable[[HistoryView], Any]
    gap: MaxGap
    values: int
    instants: int


@dataclass(slots=True, kw_only=True)
class Scope:
    """What one rule's expressions may name, and what they need.

    first_history: number of histories that other rules of the same program keep.
    numbers, texts, polygons: attributes it needs.
    shown: what evidence and sentences may show, by name; limits: which of them are attributes.
    """

    kind: Kind
    rule: str
    use_suspect: bool = False
    gap: MaxGap = field(default_factory=MaxGap)
    first_history: int = 0
    lets: dict[str, Expression] = field(default_factory=dict)
    histories: list[HistoryFunction] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    polygons: set[str] = field(default_factory=set)
    shown: dict[str, Expression] = field(default_factory=dict)
    limits: set[str] = field(default_factory=set)

    def names(self) -> list[str]:
        """Return every bare name an expression may use."""
        return [m.name for m in self.kind.measurements] + list(self.lets)

    def attribute(self, name: str) -> Attribute | None:
        """Return what the kind declares about an attribute, or None."""
        return next((a for a in self.kind.attributes if a.name == name), None)


class Compiler(Protocol):
    """What a function needs to compile its arguments."""

    scope: Scope

    def compile(self, node: ast.expr, depth: int) -> Expression:
        """Compile any expression."""

    def wanted(self, node: ast.expr, depth: int, *types: ExpressionType) -> Expression:
        """Compile an expression that must have one of the types."""


def wrong(node: ast.expr, message: str, suggestion: str | None = None) -> RuleError:
    """Return the error that points at a part of an expression."""
    return RuleError(message, column=node.col_offset + 1, suggestion=suggestion)
