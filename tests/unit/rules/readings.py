"""Builders: readings of a bin, rules from YAML, and the evaluator run over them in batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alerts.transition import Transition
from devices.columns import Columns, empty_values
from devices.kinds import load
from devices.kinds.kind import Kind
from rules.context.attributes import Attributes, Facts, build
from rules.engine.evaluate import step
from rules.engine.state import RuleState
from rules.language.program import Program, Rule, compile_program
from rules.loading.files import parse

KINDS = load()
BIN = KINDS["bin"]
MINUTE = 60_000_000
NOON = 1_760_011_200_000_000
"""2025-10-09 12:00:00 UTC."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One reading `minute` minutes after noon; `marked` names suspect values.

    received: minutes after noon; a second after it was observed without it. quality: bits beside `marked`.
    """

    minute: float
    device: int = 1
    values: Mapping[str, Any] = field(default_factory=dict)
    marked: tuple[str, ...] = ()
    received: float | None = None
    quality: int = 0

    @property
    def observed_at(self) -> int:
        return NOON + round(self.minute * MINUTE)

    @property
    def received_at(self) -> int:
        if self.received is None:
            return self.observed_at + 1_000_000
        return NOON + round(self.received * MINUTE)


def at(minute: float, device: int = 1, marked: tuple[str, ...] = (), **values: Any) -> Reading:
    return Reading(minute=minute, device=device, values=values, marked=marked)


def columns_of(readings: Sequence[Reading], kind: Kind = BIN) -> Columns:
    n = len(readings)
    values = empty_values(kind, n)
    quality = np.zeros(n, dtype=np.int64)
    for i, reading in enumerate(readings):
        for name, value in reading.values.items():
            if value is not None:
                values[name][i] = value
        quality[i] = reading.quality
        for name in reading.marked:
            quality[i] |= 1 << kind.measurement(name).bit
    observed_at = np.array([r.observed_at for r in readings], dtype=np.int64)
    return Columns(
        kind=kind,
        device_id=np.array([r.device for r in readings], dtype=np.int32),
        observed_at=observed_at,
        received_at=np.array([r.received_at for r in readings], dtype=np.int64),
        quality=quality,
        boot=np.full(n, -1, dtype=np.int64),
        seq=np.full(n, -1, dtype=np.int64),
        values=values,
        extra=np.full(n, None, dtype=object),
        message=np.arange(n, dtype=np.int32),
    )


def program_of(text: str, kind: Kind = BIN) -> Program:
    rules = [Rule(definition=d, version=1) for d in parse(text, KINDS) if d.levels]
    return compile_program(kind, rules)


def attributes_for(program: Program, facts: Mapping[int, Facts] | None = None) -> Attributes:
    return build(facts or {}, numbers=program.numbers, texts=program.texts, polygons=program.polygons)


class Evaluator:
    """Runs rules over readings and adopts what it finds."""

    def __init__(self, text: str, kind: Kind = BIN, facts: Mapping[int, Facts] | None = None) -> None:
        self.program = program_of(text, kind)
        self.state = RuleState(self.program)
        self.attributes = attributes_for(self.program, facts)

    def feed(self, *readings: Reading) -> list[Transition]:
        """Evaluate one batch."""
        result = step(self.program, self.state, columns_of(readings, self.program.kind), self.attributes)
        self.state.adopt(result.changes)
        return list(result.transitions)

    def feed_cut(self, readings: Sequence[Reading], cuts: Iterable[int]) -> list[Transition]:
        """Evaluate readings in batches cut before the given positions."""
        transitions: list[Transition] = []
        start = 0
        for cut in [*sorted(cuts), len(readings)]:
            transitions += self.feed(*readings[start:cut])
            start = cut
        return transitions


def told(transitions: Iterable[Transition]) -> list[tuple[str, str, float]]:
    """Return (to_state, severity, minutes after noon) of each transition."""
    return [(str(t.to_state), str(t.severity), (t.observed_at - NOON) / MINUTE) for t in transitions]


SENTENCES = 'summary: {en: "x {device}", fr: "x {device}", ar: "x {device}"}'


def rule(body: str, name: str = "r", kind: str = "bin") -> str:
    """Return a YAML rule with its obligatory parts; `body` is one `key: value` a line."""
    lines = [f"id: {name}", f"kind: {kind}", SENTENCES, *body.strip().splitlines()]
    return "- " + "\n  ".join(lines) + "\n"
