"""A device's own past: by compiled code where there is some, or else exactly. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

from devices.compiled.part import Function
from rules.context.compiled import histories, rhythm
from rules.context.grouping import Grouping
from rules.context.memory import aggregates, flatness, pace, senders, slots
from rules.context.memory.pace import PaceResult, PaceRows
from rules.context.memory.view import Bools, HistoryView, Instants

P = ParamSpec("P")
R = TypeVar("R")
Past = Callable[Concatenate[HistoryView, P], R]


def _either(compiled: Past[P, R], exact: Past[P, R]) -> Past[P, R]:
    def function(view: HistoryView, /, *args: P.args, **named: P.kwargs) -> R:
        return (compiled if view.functions else exact)(view, *args, **named)

    return function


last = _either(histories.last, aggregates.last)
held = _either(histories.held, aggregates.held)
total = _either(histories.total, aggregates.total)
of_readings = _either(histories.of_readings, aggregates.of_readings)
within = _either(histories.within, aggregates.within)
flat = _either(histories.flat, flatness.flat)
interleaved = _either(histories.interleaved, senders.interleaved)
in_slots = _either(histories.in_slots, slots.compute)


def learn(
    grouping: Grouping,
    observed_at: Instants,
    expected_us: Instants,
    learns: Bools,
    late: Bools,
    rows: PaceRows,
    functions: Mapping[str, Function],
) -> PaceResult:
    """rules.context.memory.pace.learn."""
    given = grouping, observed_at, expected_us, learns, late, rows
    return rhythm.learn(*given, functions) if functions else pace.learn(*given)
