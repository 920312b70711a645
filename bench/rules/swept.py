"""Sweep rules over the devices of a group: what rules.sweeps.arrays makes of their readings.

Families that look every minute in service look every five here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from alerts.transition import ConditionState, Transition
from bench.rules.judged import Opening
from bench.rules.life import Presence
from devices.columns import Columns
from devices.kinds.kind import Kind
from devices.registry.registry import Registry
from rules.definition.families import ChildrenDown, Forecast
from rules.language.program import Rule
from rules.maintenance.spans import Spans
from rules.sweeps.arrays.array_sweep import ArraySweep
from rules.sweeps.arrays.build import over_arrays, reads_kind
from rules.sweeps.arrays.children_down import ChildAlert, ChildrenDownOverArrays, ConnectionChange
from rules.sweeps.arrays.received import Ints, received_by
from rules.sweeps.arrays.replay import SweepReplay
from rules.sweeps.schedule import TICK_US
from rules.trial.episodes import Episodes

CHILDREN_EVERY_US = 10_000_000
OTHERS_EVERY_US = 300_000_000
_NO_MAINTENANCE: Spans = {}
_NEVER_AWAY = -(1 << 60)
"""Since when this platform has been listening."""


class Sweeps:
    """The sweep rules that judge by the readings of one kind, over one group of devices."""

    def __init__(self, rules: Sequence[Rule], kind: Kind, registry: Registry, names: Sequence[str]) -> None:
        self._kind = kind
        self._registry = registry
        self._devices = [registry.by_name[name] for name in names]
        self._rules = {
            r.id: r for r in rules if not r.definition.levels and reads_kind(r.definition, kind.name)
        }
        self._sweeps: dict[str, ArraySweep] = {
            name: over_arrays(rule, kind, registry, self._devices, _NO_MAINTENANCE, _NEVER_AWAY)
            for name, rule in self._rules.items()
        }
        self._replays = self._scheduled()
        self._forecasts = {
            name: Episodes() for name, r in self._rules.items() if isinstance(r.definition.sweep, Forecast)
        }
        # A rule for any kind says nothing of what is wrong with this device.
        self._explained_by = {r.id: r.definition.suppress_by for r in rules if r.definition.kind == kind.name}

    def _scheduled(self) -> dict[str, SweepReplay]:
        every = {
            name: CHILDREN_EVERY_US if isinstance(r.definition.sweep, ChildrenDown) else OTHERS_EVERY_US
            for name, r in self._rules.items()
            if r.definition.sweep is not None
        }
        tick = min(every.values(), default=OTHERS_EVERY_US)
        return {
            name: SweepReplay(sweep, tick_us=tick, every_us=every[name])
            if name in every
            else SweepReplay(sweep, tick_us=TICK_US, every_us=0)
            for name, sweep in self._sweeps.items()
        }

    def receive(self, columns: Columns, interval_us: Ints, transitions: Sequence[Transition]) -> None:
        """Take accepted readings, how soon others are expected, and what stream rules made of them."""
        if columns.kind.name != self._kind.name:
            return
        for name, sweep in self._sweeps.items():
            received = received_by(columns, interval_us, sweep.device_id, sweep.measurements)
            self._replays[name].receive(received)
            if isinstance(sweep, ChildrenDownOverArrays):
                sweep.note(_child_alert(t) for t in transitions if name in self._explained_by.get(t.rule, ()))

    def connect(self, presence: Iterable[Presence]) -> None:
        """Take what the broker says of connections."""
        changes = [
            ConnectionChange(at=p.at, device_id=self._registry.by_name[p.device].id, online=p.online)
            for p in presence
        ]
        for sweep in self._sweeps.values():
            if isinstance(sweep, ChildrenDownOverArrays):
                sweep.connect(changes)

    def until(self, end: int) -> Iterator[Opening]:
        """Yield every alert that opens before an instant; received when the sweep looked."""
        for name, replay in self._replays.items():
            for at, transition in replay.until(end):
                if name in self._forecasts:
                    self._forecasts[name].add(transition)
                if transition.opens:
                    yield self._opening(transition, at)

    def _opening(self, transition: Transition, at: int) -> Opening:
        is_silence = self._rules[transition.rule].definition.silent is not None
        return Opening(
            rule=transition.rule,
            device=self._registry.devices[transition.device_id].name,
            opened_at=transition.observed_at,
            # A deadline is an instant of the platform's clock already.
            received_at=transition.observed_at if is_silence else at,
        )

    def forecasts(self, end: int) -> Mapping[str, list[tuple[int, int]]]:
        """Return by device from when to when its forecasts stood, those that still do until `end`."""
        spans: dict[str, list[tuple[int, int]]] = {}
        for episodes in self._forecasts.values():
            for episode in episodes.all():
                device = self._registry.devices[episode.device_id].name
                ended_at = end if episode.ended_at is None else episode.ended_at
                spans.setdefault(device, []).append((episode.opened_at, ended_at))
        return spans


def _child_alert(transition: Transition) -> ChildAlert:
    return ChildAlert(
        at=transition.received_at,
        device_id=transition.device_id,
        rule=transition.rule,
        opened_at=transition.observed_at,
        is_open=transition.to_state is ConditionState.FIRING,
    )
