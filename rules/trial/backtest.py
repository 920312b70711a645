"""What stream rules would have done: the evaluator run over stored readings, nothing written.

A backtest replays by received time, then position, like the readings came. Devices are taken with the
attributes they have now. Sweep rules are replayed by rules.trial.sweep_backtest.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Severity
from devices.columns import Columns, empty_values
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from devices.registry.registry import Registry
from rules.definition.definition import Definition
from rules.definition.lets import names_in
from rules.engine.evaluate import step
from rules.engine.ruleset import NO_MAINTENANCE, RuleSet, build_ruleset
from rules.engine.state import RuleState
from rules.language.program import Program, Rule
from rules.maintenance.spans import Spans
from rules.trial.episodes import Episode, Episodes
from rules.trial.replay import Elapsed
from store.connection import Connection

STEP_ROWS = 25_000
"""Readings evaluated at once: what fits into a processor's cache; twice as fast as a million."""


class Backtest:
    """Stream rules of one kind on trial. `feed` it readings as they arrived, then ask `episodes`.

    resting: maintenance windows by device; rules do not look meanwhile.
    """

    sliced = False

    def __init__(
        self,
        kind: Kind,
        definitions: Sequence[Definition],
        registry: Registry,
        resting: Spans = NO_MAINTENANCE,
    ) -> None:
        rules = [Rule(definition=d, version=0) for d in definitions]
        self._unit: RuleSet = build_ruleset(kind, rules, registry, resting)
        self._episodes = {rule.id: Episodes() for rule in rules}
        self.rules = frozenset(self._episodes)
        self.kind = kind
        self.measurements = _measurements(self._unit.program, self._unit)
        self.readings = 0
        self.evaluation_s = 0.0
        self._devices: set[int] = set()

    def feed(self, columns: Columns, elapsed: Elapsed = time.thread_time) -> None:
        """Evaluate readings.

        Raises:
            rules.engine.evaluate.RuleFailed: a rule raised.
        """
        for start in range(0, len(columns), STEP_ROWS):
            # A slice costs no copy.
            self._step(columns.take(slice(start, start + STEP_ROWS)), elapsed)  # type: ignore[arg-type]
        self.readings += len(columns)
        self._devices.update(np.unique(columns.device_id).tolist())

    def _step(self, columns: Columns, elapsed: Elapsed) -> None:
        began = elapsed()
        result = step(self._unit.program, self._unit.state, columns, self._unit.attributes)
        self._unit.state.adopt(result.changes)
        self.evaluation_s += elapsed() - began
        for transition in result.transitions:
            self._episodes[transition.rule].add(transition)

    def advance(self, until: int, elapsed: Elapsed = time.thread_time) -> None:
        """Do nothing: readings alone move stream rules."""

    def episodes(self, rule: str) -> tuple[Episode, ...]:
        """Return the alerts a rule would have raised, by their beginning."""
        return self._episodes[rule].all()

    @property
    def devices(self) -> int:
        """Number of devices that sent anything."""
        return len(self._devices)


_LIVE = """
SELECT device_id, severity, opened_at, resolved_at
FROM alert
WHERE rule = $1 AND detected_at < $3 AND (resolved_at IS NULL OR resolved_at >= $2)
    AND ($4::integer [] IS NULL OR device_id = ANY($4))
ORDER BY opened_at, device_id
"""


async def live_episodes(
    connection: Connection, rule: str, *, start: int, end: int, devices: Sequence[int] | None = None
) -> tuple[Episode, ...]:
    """Return the alerts that a rule's live versions raised, those that fired at any time in [start, end)."""
    bounds = to_datetime(start), to_datetime(end)
    rows = await connection.fetch(_LIVE, rule, *bounds, None if devices is None else list(devices))
    return tuple(
        Episode(
            device_id=row["device_id"],
            opened_at=to_microseconds(row["opened_at"]),
            severity=Severity(row["severity"]),
            ended_at=None if row["resolved_at"] is None else to_microseconds(row["resolved_at"]),
        )
        for row in rows
    )


class _Noting(dict[str, NDArray[Any]]):
    """Values that take note of who is asked for."""

    def __init__(self, values: dict[str, NDArray[Any]]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> NDArray[Any]:
        self.asked.add(name)
        return super().__getitem__(name)


def _measurements(program: Program, unit: RuleSet) -> frozenset[str]:
    """Return the measurements that rules look at: reading the others would only take time."""
    values = _Noting(empty_values(program.kind, 1))
    nobody = Columns(
        kind=program.kind,
        device_id=np.zeros(1, dtype=np.int32),
        observed_at=np.zeros(1, dtype=np.int64),
        received_at=np.zeros(1, dtype=np.int64),
        quality=np.zeros(1, dtype=np.int64),
        boot=np.zeros(1, dtype=np.int64),
        seq=np.zeros(1, dtype=np.int64),
        values=values,
        extra=np.full(1, None, dtype=object),
        message=np.zeros(1, dtype=np.int32),
    )
    step(program, RuleState(program), nobody, unit.attributes)
    # What only evidence shows is not computed as long as nothing happens.
    named = {name for rule in program.rules for shown in rule.shown for name in names_in(shown)}
    lets = {n for r in program.rules for text in r.rule.definition.let.values() for n in names_in(text)}
    return frozenset(values.asked | {m.name for m in program.kind.measurements if m.name in named | lets})
