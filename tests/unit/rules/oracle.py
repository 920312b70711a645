"""The rule semantics once more, one reading at a time in plain Python: what the evaluator must agree with.

Conditions are Python functions from (values, past) to True, False or None (undecided); past(name) gives the
last decided value of a measurement and the minutes since, or None, and has the functions of past.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.rules.past import Past
from tests.unit.rules.readings import MINUTE, Reading

Condition = Callable[[Mapping[str, Any], Past], bool | None]


@dataclass(kw_only=True)
class Spec:
    """One rule. levels: lowest first. Holds are (readings, minutes)."""

    name: str
    levels: list[tuple[str, Condition]]
    clear: Condition | None = None
    hold: tuple[int, float] = (1, 0)
    keep: tuple[int, float] = (1, 0)
    max_gap: float = 25.0
    late_raises: bool = False
    use_suspect: bool = False


@dataclass
class LevelState:
    on: bool = False
    count: int = 0
    start: int = 0
    due: int = 0


@dataclass
class Memory:
    watermark: int | None = None
    levels: dict[str, list[LevelState]] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    past: dict[str, dict[str, Any]] = field(default_factory=dict)


def any_true(truths: list[bool | None]) -> bool | None:
    return True if True in truths else None if None in truths else False


class Oracle:
    """All rules of all devices."""

    def __init__(self, specs: list[Spec]) -> None:
        self.specs = specs
        self.devices: dict[int, Memory] = {}

    def feed(self, reading: Reading) -> list[tuple[str, int, str, str, str, int]]:
        """Return (rule, device, from, to, severity, observed_at) of what one reading changed."""
        memory = self.devices.setdefault(reading.device, Memory())
        late = memory.watermark is not None and reading.observed_at <= memory.watermark
        told = []
        for spec in self.specs:
            change = self.apply(spec, memory, reading, late)
            if change:
                told.append((spec.name, reading.device, *change, reading.observed_at))
        memory.watermark = max(memory.watermark or 0, reading.observed_at)
        return told

    def apply(self, spec: Spec, memory: Memory, reading: Reading, late: bool) -> tuple[str, str, str] | None:
        at = reading.observed_at
        values = {
            k: None if k in reading.marked and not spec.use_suspect else v for k, v in reading.values.items()
        }

        past = Past(memory.past.setdefault(spec.name, {}), values, at, late, round(spec.max_gap * MINUTE))
        truths = [condition(values, past) for _, condition in spec.levels]
        reached = [any_true(truths[k:]) for k in range(len(truths))]
        ends = [None if r is None else not r for r in reached]
        if spec.clear:
            ends[0] = spec.clear(values, past)

        levels = memory.levels.setdefault(spec.name, [LevelState() for _ in spec.levels])
        before = level(levels)
        pending = False
        flips = set()
        for k, state in enumerate(levels):
            wanted = ends[k] if state.on else reached[k]
            if late:
                alone = spec.late_raises and spec.hold == (1, 0) and at > memory.ended.get(spec.name, -1)
                if not (alone and not state.on and wanted):
                    continue
                flips.add(k)
                continue
            if wanted is None:
                continue
            if state.count and at > state.due:
                state.count = 0
            state.due = at + round(spec.max_gap * MINUTE)
            if not wanted:
                state.count = 0
                continue
            if state.count == 0:
                state.start = at
            state.count += 1
            readings, minutes = spec.keep if state.on else spec.hold
            if state.count >= readings and at - state.start >= minutes * MINUTE:
                flips.add(k)
                pending = pending or (min(flips) == k and state.start < at)
        if not flips:
            return None
        was = [state.on for state in levels]
        wished = [on != (k in flips) for k, on in enumerate(was)]
        after = max((k for k, on in enumerate(wished) if on), default=-1)
        if was[0] and 0 in flips:
            after = -1
        for k, state in enumerate(levels):
            if k in flips or state.on != (k <= after):
                state.count = 0
            state.on = k <= after
        if before == after:
            return None
        if after < 0:
            memory.ended[spec.name] = at
        source = "firing" if before >= 0 else "pending" if pending else "inactive"
        severity = spec.levels[before if after < 0 else after][0]
        return source, "resolved" if after < 0 else "firing", severity


def level(levels: list[LevelState]) -> int:
    return max((k for k, state in enumerate(levels) if state.on), default=-1)
