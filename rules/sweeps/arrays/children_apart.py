"""Parents with children that are off together, over arrays; which these are, `core.children_apart` says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Transition
from devices.kinds.kind import Kind
from rules.definition.families import ChildrenApart
from rules.language.program import Rule
from rules.sweeps.arrays.array_sweep import opened, resolved
from rules.sweeps.arrays.latest_values import LatestValues
from rules.sweeps.arrays.neighbours import FRESH_INTERVALS
from rules.sweeps.arrays.received import PendingReadings, ReceivedReadings
from rules.sweeps.arrays.swept_devices import RestingDevices, SweptDevices
from rules.sweeps.core import children_apart
from rules.sweeps.core.children_apart import ChildValues
from rules.sweeps.core.instants import FAR_AWAY


class ChildrenApartOverArrays:
    """A rule about parents over the values of their children of one kind.

    Args:
        parents: who may be worked on; all that the children hang on.
    """

    def __init__(self, rule: Rule, kind: Kind, children: SweptDevices, parents: SweptDevices) -> None:
        family = rule.definition.sweep
        assert isinstance(family, ChildrenApart)
        self._rule, self._family = rule, family
        self.measurements = frozenset({family.measurement})
        self.device_id = children.device_id
        self._children, self._parents = children, parents
        self._resting = RestingDevices(rule.definition.when, children)
        self._resting_parents = RestingDevices(rule.definition.when, parents)
        self._latest = LatestValues(kind, len(children), [family.measurement])
        self._group = children_apart.numbered(children.parent, children.texts(family.group))
        default = next((a.default for a in kind.attributes if a.name == family.nominal), None)
        nominal = (
            np.full(len(children), np.nan) if family.nominal is None else children.attribute(family.nominal)
        )
        usual = float(default) if isinstance(default, int | float) else np.nan
        self._nominal = np.where(np.isnan(nominal) & (family.nominal is not None), usual, nominal)
        self._since: dict[int, int] = {}
        self._open: set[int] = set()
        self._due_at = FAR_AWAY

    def next_at(self, pending: PendingReadings) -> int:
        """Return when something is received, or what is off has lasted."""
        return min(self._due_at, pending.first_at)

    def take(self, received: ReceivedReadings) -> None:
        """Take in readings."""
        self._latest.take(received)

    def judge(self, at: int) -> Iterator[Transition]:
        """Yield the parents whose children are right again, and those with some that were off for so long."""
        latest, family = self._latest, self._family
        value = latest.good(family.measurement)
        fresh = latest.received_at + FRESH_INTERVALS * latest.interval_us > at
        left_alone = self._parents.device_id[self._resting_parents.until(at) > at]
        measured = np.isfinite(value)
        heard = np.zeros(len(value), dtype=np.bool_)
        heard[measured] = children_apart.is_heard(self._children.parent[measured], fresh[measured])
        asked = np.flatnonzero(
            measured & heard & fresh & (self._resting.until(at) <= at) & (self._children.parent >= 0)
            & ~np.isin(self._children.parent, left_alone)
        )  # fmt: skip
        children = self._columns(asked, value)
        judged = set(children.parent.tolist())
        stays = {i.parent for i in children_apart.find_apart(family, children, stays=True)}
        for parent in sorted((self._open & judged) - stays):
            self._open.discard(parent)
            yield resolved(self._rule, parent, family.severity, at, at)
        begun = {i.parent: i for i in children_apart.find_apart(family, children)}
        kept = {p: since for p, since in self._since.items() if p in stays or p not in judged}
        self._since = {**dict.fromkeys(begun, at), **kept}
        for parent, incident in begun.items():
            if parent not in self._open and self._since[parent] + family.lasting_us <= at:
                self._open.add(parent)
                received_at = int(latest.received_at[asked[list(incident.apart)]].max())
                yield opened(
                    self._rule, parent, family.severity, self._since[parent] + family.lasting_us, received_at
                )
        waiting = [s + family.lasting_us for p, s in self._since.items() if p not in self._open]
        self._due_at = min((due for due in waiting if due > at), default=FAR_AWAY)

    def _columns(self, asked: NDArray[np.intp], value: NDArray[np.float64]) -> ChildValues:
        return ChildValues(
            parent=self._children.parent[asked],
            group=self._group[asked],
            value=value[asked],
            nominal=self._nominal[asked],
        )
