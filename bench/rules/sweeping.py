"""When sweep rules look, over months without a database: whenever something may have changed.

Families that look every minute in service look every five here. Must not know how a rule judges (judges).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from alerts.transition import Transition
from bench.rules.judged import Opening
from bench.rules.judges import FAR_AWAY, OTHERS_EVERY_US, DownJudge, FillingJudge, Ints, Judge, judge_of
from bench.rules.latest_values import NEVER, LatestValues
from bench.rules.life import Presence
from devices.columns import Columns
from devices.kinds.kind import Kind
from devices.registry.registry import Registry
from rules.language.program import Rule

T = TypeVar("T")


class Queue(Generic[T]):
    """What has happened and is still to be taken in, by instant."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, T]] = []
        self._taken = 0

    def add(self, events: Iterable[tuple[int, T]]) -> None:
        """Add events; what was taken is forgotten."""
        self._kept = sorted([*self._kept[self._taken :], *events], key=lambda event: event[0])
        self._taken = 0

    @property
    def next(self) -> int:
        """When the next event is."""
        return self._kept[self._taken][0] if self._taken < len(self._kept) else FAR_AWAY

    def up_to(self, at: int) -> Iterator[T]:
        """Yield and forget what happened up to an instant."""
        while self.next <= at:
            self._taken += 1
            yield self._kept[self._taken - 1][1]


class Sweeps:
    """The sweep rules that judge one kind of devices, over one group of them."""

    def __init__(self, rules: Sequence[Rule], kind: Kind, registry: Registry, names: Sequence[str]) -> None:
        devices = [registry.by_name[name].id for name in names]
        judges = {r.id: judge_of(r, kind.name, registry, devices) for r in rules}
        self._judges: dict[str, Judge] = {rule: judge for rule, judge in judges.items() if judge is not None}
        self._down = {rule: j for rule, j in self._judges.items() if isinstance(j, DownJudge)}
        # A rule for any kind says nothing of what is wrong with this device.
        self._explained_by = {r.id: r.definition.suppress_by for r in rules if r.definition.kind == kind.name}
        measured = sorted({m for judge in self._judges.values() for m in judge.measurements})
        self._newest = LatestValues.of(kind, devices, measured)
        self._place = {name: place for place, name in enumerate(names)}
        self._names = {device.id: device.name for device in registry.devices.values()}
        self._looked = dict.fromkeys(self._judges, NEVER)
        self._unheard = dict.fromkeys(self._judges, False)
        self._grid = min((j.every_us for j in self._judges.values()), default=OTHERS_EVERY_US)
        self._rows: Queue[tuple[Columns, Ints, int]] = Queue()
        self._presence: Queue[Presence] = Queue()
        self._transitions: Queue[Transition] = Queue()

    def hear(self, columns: Columns, interval_us: Ints, transitions: Sequence[Transition]) -> None:
        """Take accepted readings, how soon others are expected, and what stream rules made of them.

        They count from when they were received.
        """
        if not self._judges or columns.kind.name != self._newest.kind.name:
            return
        received = columns.received_at.tolist()
        self._rows.add((at, (columns, interval_us, row)) for row, at in enumerate(received))
        self._transitions.add((t.received_at, t) for t in transitions)

    def connect(self, presence: Iterable[Presence]) -> None:
        """Take what the broker says of connections."""
        self._presence.add((p.at, p) for p in presence)

    def until(self, end: int) -> Iterator[Opening]:
        """Yield every alert that opens before an instant; received when the sweep looked."""
        while (at := self._next()) < end:
            self._take(at)
            for rule, judge in self._judges.items():
                waits = self._unheard[rule] and at - self._looked[rule] >= judge.every_us
                if waits or at >= judge.wake:
                    self._looked[rule], self._unheard[rule] = at, False
                    for device, opened_at in judge.look(self._newest, at):
                        yield Opening(
                            rule=rule, device=self._names[device], opened_at=opened_at, received_at=at
                        )

    def told(self, end: int) -> dict[str, list[tuple[int, int]]]:
        """Return by device from when to when its forecasts stood, those that still do until `end`."""
        spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for judge in self._judges.values():
            if isinstance(judge, FillingJudge):
                for device, opened, closed in judge.spans(self._newest, end):
                    spans[self._names[device]].append((opened, closed))
        return spans

    def _next(self) -> int:
        """Return the next instant at which anything may be found."""
        coming = [self._rows.next, self._presence.next]
        for rule, judge in self._judges.items():
            again = self._looked[rule] + judge.every_us if self._unheard[rule] else FAR_AWAY
            coming += [judge.wake, again]
        soonest = min(coming)
        return -(-soonest // self._grid) * self._grid if soonest < FAR_AWAY else FAR_AWAY

    def _take(self, at: int) -> None:
        """Take in what has happened by an instant."""
        heard = False
        for columns, interval_us, row in self._rows.up_to(at):
            self._newest.take(columns, interval_us, row)
            heard = True
        for presence in self._presence.up_to(at):
            for down in self._down.values():
                down.connected(self._place[presence.device], presence)
            heard = True
        for transition in self._transitions.up_to(at):
            for rule, down in self._down.items():
                if rule in self._explained_by.get(transition.rule, ()):
                    down.note(self._newest.place[transition.device_id], transition)
        if heard:
            self._unheard = dict.fromkeys(self._unheard, True)
