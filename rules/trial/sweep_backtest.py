"""What sweep rules would have done: stored readings through rules.sweeps.arrays, nothing written.

It looks when the leader would have looked, on the clock of receive times. What no history is kept of is taken
as it mostly is: connections last and ingest is never away. `notes` tells people so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.kinds.kind import Kind
from devices.registry.life import Life, counts_from
from devices.registry.registry import Registry
from rules.context.attributes import Facts, build
from rules.definition.definition import Definition
from rules.definition.families import Behind, ChildrenDown, Forecast, Neighbours, NotRefreshed
from rules.engine.evaluate import RuleFailed, step
from rules.engine.ruleset import NO_MAINTENANCE
from rules.engine.state import RuleState
from rules.language.program import Rule, compile_program
from rules.maintenance.spans import Spans
from rules.sweeps.arrays.build import over_arrays
from rules.sweeps.arrays.children_down import ChildAlert, ChildrenDownOverArrays
from rules.sweeps.arrays.received import received_by
from rules.sweeps.arrays.replay import SweepReplay
from rules.sweeps.schedule import TICK_US, every_us
from rules.trial.episodes import Episode, Episodes
from rules.trial.replay import Elapsed


class SweepBacktest:
    """Sweep rules on trial that judge by the readings of one kind.

    Args:
        maintenance: windows by device; rules do not look meanwhile.
        start: since when readings will be fed, microseconds.
        child_alerts: by rule of family children_down what its children had of their own.
    """

    sliced = True

    def __init__(
        self,
        kind: Kind,
        definitions: Sequence[Definition],
        registry: Registry,
        maintenance: Spans = NO_MAINTENANCE,
        *,
        start: int,
        child_alerts: Mapping[str, Sequence[ChildAlert]] | None = None,
    ) -> None:
        self.kind = kind
        self.readings = 0
        self.evaluation_s = 0.0
        devices = [d for d in registry.devices.values() if d.kind == kind.name and d.life is Life.INSTALLED]
        self._attributes = build(
            {d.id: Facts(attributes=d.attributes, installed_at=counts_from(d.installed_at)) for d in devices},
            numbers=[r.above for r in kind.reporting if r.above],
        )
        # A program without rules: it only learns how often devices report.
        self._rhythm = RuleState(compile_program(kind, ()))
        self._sweeps = {
            d.id: over_arrays(Rule(definition=d, version=0), kind, registry, devices, maintenance, start)
            for d in definitions
        }
        self._replays = {
            d.id: SweepReplay(self._sweeps[d.id], tick_us=TICK_US, every_us=every_us(d)) for d in definitions
        }
        self._episodes = {d.id: Episodes() for d in definitions}
        self.rules = frozenset(self._episodes)
        self._devices: set[int] = set()
        self.measurements = self._measurements()
        for rule, alerts in (child_alerts or {}).items():
            sweep = self._sweeps.get(rule)
            if isinstance(sweep, ChildrenDownOverArrays):
                sweep.note(alerts)

    def _measurements(self) -> frozenset[str]:
        """Return what sweeps read, and what tells how soon a device will report again."""
        reporting = [r.measurement for r in self.kind.reporting if r.measurement is not None]
        return frozenset(reporting).union(*(sweep.measurements for sweep in self._sweeps.values()))

    def feed(self, columns: Columns, elapsed: Elapsed = time.thread_time) -> None:
        """Take readings in the order they were received."""
        began = elapsed()
        made = step(self._rhythm.program, self._rhythm, columns, self._attributes)
        self._rhythm.adopt(made.changes)
        counted, counted_us = self._since_installation(columns, made.interval_us)
        for rule, sweep in self._sweeps.items():
            received = received_by(counted, counted_us, sweep.device_id, sweep.measurements)
            self._replays[rule].receive(received)
        self.readings += len(columns)
        self._devices.update(np.unique(columns.device_id).tolist())
        self.evaluation_s += elapsed() - began

    def _since_installation(
        self, columns: Columns, interval_us: NDArray[np.int64]
    ) -> tuple[Columns, NDArray[np.int64]]:
        """Leave out what was received before a device was installed."""
        rows = self._attributes.rows_of(columns.device_id)
        early = columns.received_at < self._attributes.installed_at[rows]
        if not early.any():
            return columns, interval_us
        kept = np.flatnonzero(~early)
        return columns.take(kept), interval_us[kept]

    def advance(self, until: int, elapsed: Elapsed = time.thread_time) -> None:
        """Let the rules look at every instant before `until` (microseconds) at which they would have.

        Raises:
            rules.engine.evaluate.RuleFailed: a rule raised.
        """
        began = elapsed()
        for rule, replay in self._replays.items():
            try:
                for _, transition in replay.until(until):
                    self._episodes[rule].add(transition)
            except Exception as error:
                raise RuleFailed(rule, error) from error
        self.evaluation_s += elapsed() - began

    def episodes(self, rule: str) -> tuple[Episode, ...]:
        """Return the alerts a rule would have raised, by their beginning."""
        return self._episodes[rule].all()

    @property
    def devices(self) -> int:
        """Number of devices that sent anything."""
        return len(self._devices)


def notes(definition: Definition) -> tuple[str, ...]:
    """Return what a backtest of a sweep rule cannot know, in sentences."""
    match definition.sweep:
        case ChildrenDown():
            return (_AWAY, _CONNECTIONS, _CHILD_ALERTS)
        case NotRefreshed():
            return (_AWAY, _EVER_MEASURED)
        case Neighbours():
            return (_AWAY, _PLACES)
        case Forecast():
            return (_LEARNS,)
        case Behind():
            return (_FIRMWARE,)
    return (_AWAY, _SILENT_BEFORE) if definition.silent is not None else ()


_AWAY = "when ingest itself was away is not kept: such a gap counts as if the devices had sent nothing"
_CONNECTIONS = "when connections to the broker ended is not kept: children are silent by their deadline alone"
_CHILD_ALERTS = "children that had failed before are known by the alerts that live rules raised"
_EVER_MEASURED = "a device counts as having a measurement once the test has seen it"
_PLACES = "devices stand where they stand now"
_LEARNS = "a forecast learns from the beginning of the test on: for a day it tells nothing"
_FIRMWARE = "what devices said of their firmware is not kept: the test finds nothing"
_SILENT_BEFORE = "a device that sends nothing from the beginning of the test on is not judged"
