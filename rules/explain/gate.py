"""What clock, calendar and maintenance say to a rule on one reading: whether it was an occasion to look.

Pure. For explanations only; the evaluator judges the same on whole columns (rules.language.program).
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from devices.instants import to_datetime
from devices.registry.registry import Municipality
from rules.definition.definition import Gate
from rules.explain.explanation import Term, TruthValue


def calendar(gate: Gate, town: Municipality, observed_at: int) -> tuple[Term, ...]:
    """Return what clock and calendar of the town say to a gate at an instant (microseconds)."""
    clock = to_datetime(observed_at).astimezone(ZoneInfo(town.time_zone))
    terms = []
    if gate.local_from_min is not None and gate.local_to_min is not None:
        minute, start, end = clock.hour * 60 + clock.minute, gate.local_from_min, gate.local_to_min
        inside = start <= minute < end if start <= end else minute >= start or minute < end
        terms.append(_fixed(f"local_time {_clock(start)}-{_clock(end)}", _clock(minute), inside))
    if gate.days is not None:
        rests = clock.isoweekday() in town.weekend
        today = "weekend" if rests else "workdays"
        terms.append(_fixed(f"days {gate.days}", today, rests == (gate.days == "weekend")))
    return tuple(terms)


def rests(gate: Gate | None, windows: Sequence[tuple[int, int]], observed_at: int) -> bool:
    """Tell whether a reading lies in a maintenance window that the rule respects."""
    if gate is not None and gate.maintenance == "look":
        return False
    return any(start <= observed_at < end for start, end in windows)


RESTING = Term(part="when", text="maintenance", value="rest", limit=None, truth=TruthValue.FALSE, since=None)
"""What is told of a reading that lies in such a window."""


def _fixed(text: str, value: str, holds: bool) -> Term:
    truth = TruthValue.TRUE if holds else TruthValue.FALSE
    return Term(part="when", text=text, value=value, limit=None, truth=truth, since=None)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
