"""Parents that are down, over arrays of their children; who is down is for `core.children_down` to say.

Beside readings it takes what a live sweep finds in tables: what the broker says of connections, and alerts of
the children themselves. A backtest has no history of connections: children are then silent by deadline alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Transition
from devices.kinds.kind import Kind
from rules.definition.families import ChildrenDown, Comparison
from rules.language.program import Rule
from rules.sweeps.arrays.array_sweep import AGAIN_US, opened, resolved
from rules.sweeps.arrays.events import EventQueue
from rules.sweeps.arrays.latest_values import LatestValues
from rules.sweeps.arrays.received import PendingReadings, ReceivedReadings
from rules.sweeps.arrays.swept_devices import RestingDevices, SweptDevices
from rules.sweeps.core import children_down
from rules.sweeps.core.children_down import Children, OpenIncident
from rules.sweeps.core.instants import FAR_AWAY, NEVER

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionChange:
    """What the broker says of a device's connection from an instant on (microseconds)."""

    at: int
    device_id: int
    online: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildAlert:
    """An alert of a child, which an incident of its parent would explain, began or ended.

    at: when that was known. opened_at: when the alert opened. Microseconds.
    """

    at: int
    device_id: int
    rule: str
    opened_at: int
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentLink:
    """That a child hangs on a parent, by id. alone: no other gateway could relay it."""

    child: int
    parent: int
    alone: bool = True


class ChildrenDownOverArrays:
    """A rule about parents over their children of one kind.

    Args:
        parents: who may be worked on; all that the children hang on.
        caught_up_at: since when everything that was sent is in the readings; microseconds.
        links: which child hangs on which parents.
    """

    def __init__(
        self,
        rule: Rule,
        kind: Kind,
        children: SweptDevices,
        parents: SweptDevices,
        caught_up_at: int,
        links: Sequence[ParentLink],
    ) -> None:
        family = rule.definition.sweep
        assert isinstance(family, ChildrenDown)
        self._rule, self._family = rule, family
        named = {name for c in (*family.dark, *family.lit) for name in c.names}
        self.measurements = frozenset(named & {m.name for m in kind.measurements})
        self._kind = kind
        self.device_id = children.device_id
        self._children, self._parents = children, parents
        self._resting = RestingDevices(rule.definition.when, children)
        self._resting_parents = RestingDevices(rule.definition.when, parents)
        self._caught_up_at = caught_up_at
        self._rows = {int(device): row for row, device in enumerate(children.device_id)}
        self._child = np.array([self._rows[link.child] for link in links], dtype=np.intp)
        self._parent = np.array([link.parent for link in links], dtype=np.int64)
        alone = np.array([link.alone for link in links], dtype=np.bool_)
        self._tells = children_down.tells_of_parent(self._parent, alone, family.at_least)
        n = len(children)
        self._latest = LatestValues(kind, n, sorted(self.measurements))
        self._online = np.full(n, NEVER, dtype=np.int64)
        self._offline = np.full(n, NEVER, dtype=np.int64)
        self._connections: EventQueue[ConnectionChange] = EventQueue()
        self._child_alerts: EventQueue[ChildAlert] = EventQueue()
        self._alerts: dict[int, dict[str, int]] = {}
        self._failed_since = np.full(n, FAR_AWAY, dtype=np.int64)
        self._open: dict[int, OpenIncident] = {}
        self._due_at = FAR_AWAY

    def connect(self, changes: Iterable[ConnectionChange]) -> None:
        """Take changes of connections, those of other devices too."""
        self._connections.add((c.at, c) for c in changes if c.device_id in self._rows)

    def note(self, alerts: Iterable[ChildAlert]) -> None:
        """Take beginnings and ends of alerts, those of other devices too."""
        self._child_alerts.add((a.at, a) for a in alerts if a.device_id in self._rows)

    def next_at(self, pending: PendingReadings) -> int:
        """Return when something is received, or somebody has been silent for too long."""
        return min(self._due_at, pending.first_at, self._connections.next_at)

    def take(self, received: ReceivedReadings) -> None:
        """Take in readings."""
        self._latest.take(received)

    def judge(self, at: int) -> Iterator[Transition]:
        """Yield incidents of parents that are up again, and of those that go down."""
        self._take_events(at)
        resting = self._resting_parents.until(at) > at
        left_alone = set(self._parents.device_id[resting].tolist())
        heard = (self._latest.received_at > NEVER)[self._child] & self._tells
        known = np.flatnonzero(
            heard
            & (self._resting.until(at) <= at)[self._child]
            & ~np.isin(self._parent, self._parents.device_id[resting])
        )
        children = self._columns(self._parent[known], self._child[known], at)
        self._due_at = self._next(children, at)
        if len(known) < np.count_nonzero(heard):
            # Whoever is left alone now may be overdue once that is over.
            self._due_at = min(self._due_at, at + AGAIN_US)
        yield from self._end(children, left_alone, at)
        yield from self._begin(children, at)

    def _end(self, children: Children, left_alone: set[int], at: int) -> Iterator[Transition]:
        judged = [incident for parent, incident in self._open.items() if parent not in left_alone]
        for incident, _ in children_down.find_ended(children, judged, self._family, at):
            del self._open[incident.parent]
            yield resolved(self._rule, incident.parent, self._family.severity, at, at)

    def _begin(self, children: Children, at: int) -> Iterator[Transition]:
        for incident in children_down.find_begun(children, self._family, at, self._caught_up_at):
            if incident.parent not in self._open:
                self._open[incident.parent] = OpenIncident(
                    parent=incident.parent,
                    opened_at=at,
                    children=incident.children,
                    dark=incident.dark > incident.silent,
                )
                yield opened(self._rule, incident.parent, self._family.severity, at, incident.received_at)

    def _take_events(self, at: int) -> None:
        for change in self._connections.up_to(at):
            row = self._rows[change.device_id]
            self._online[row] = change.at if change.online else NEVER
            self._offline[row] = NEVER if change.online else change.at
        for alert in self._child_alerts.up_to(at):
            row = self._rows[alert.device_id]
            own = self._alerts.setdefault(row, {})
            if alert.is_open:
                own.setdefault(alert.rule, alert.opened_at)
            else:
                own.pop(alert.rule, None)
            self._failed_since[row] = min(own.values(), default=FAR_AWAY)

    def _columns(self, parent: Ints, known: NDArray[np.intp], at: int) -> Children:
        family, latest = self._family, self._latest
        received, interval = latest.received_at[known], latest.interval_us[known]
        offline = self._offline[known]
        return Children(
            parent=parent,
            received_at=received,
            seen_at=np.maximum(received, self._online[known]),
            interval_us=interval,
            disconnected_at=np.where(offline >= received, offline, NEVER),
            dark=self._truth(family.dark, known, otherwise=False),
            lit=self._truth(family.lit, known, otherwise=True),
            failed_before=self._failed_since[known] < at - 2 * interval,
        )

    def _truth(
        self, comparisons: Sequence[Comparison], known: NDArray[np.intp], *, otherwise: bool
    ) -> NDArray[np.bool_]:
        if not comparisons:
            return np.full(len(known), otherwise)
        fetch = children_down.knowing(
            self._kind,
            lambda name: self._latest.good(name)[known],
            lambda name: self._children.attribute(name)[known],
        )
        return children_down.all_hold(comparisons, self._kind, fetch)

    def _next(self, children: Children, at: int) -> int:
        overdue = children.seen_at + children_down.patience_us(self._family, children.interval_us)
        left = children.disconnected_at
        gone = np.where(left > NEVER, left + children_down.DISCONNECTED_US, NEVER)
        coming = np.concatenate([overdue, gone])
        coming = coming[coming >= at]
        return int(coming.min()) + 1 if len(coming) else FAR_AWAY
