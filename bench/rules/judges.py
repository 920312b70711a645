"""Sweep rules without a database: what a live sweep reads from tables and keeps in them is kept in arrays.

Who is down, apart, overdue or soon full is decided by the functions that the live sweep calls
(rules.sweeps.core, rules.forecast); here is only what they are asked about, and which alerts are open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from alerts.transition import ConditionState, Transition
from bench.rules.latest_values import NEVER, LatestValues
from bench.rules.life import Presence
from devices.registry.registry import Registry
from rules.definition.families import ChildrenDown, Comparison, Forecast, Neighbours, NotRefreshed
from rules.forecast import prediction, profile
from rules.language.program import Rule
from rules.sweeps.core import apart, outages, refreshing
from rules.sweeps.core.outages import Children, Lasting

Ints = NDArray[np.int64]
Found = tuple[int, int]
"""Device and instant (microseconds) of an alert that opened."""

Told = tuple[int, int, int]
"""Device, and from when to when (microseconds) an alert was open."""

DOWN_EVERY_US = 10_000_000
OTHERS_EVERY_US = 300_000_000
FAR_AWAY = 1 << 62
_NEVER_AWAY = -(1 << 60)
"""Since when this platform has been listening."""


class Judge(Protocol):
    """One sweep rule over some devices.

    every_us: how often it looks at most. measurements: what it reads. wake: when it wants to look though
    nothing was heard.
    """

    every_us: int
    measurements: list[str]
    wake: int

    def look(self, newest: LatestValues, at: int) -> Iterator[Found]:
        """Yield the alerts that open at an instant."""


class DownJudge:
    """Parents that went down with most of what hangs on them."""

    def __init__(self, family: ChildrenDown, registry: Registry, devices: Sequence[int]) -> None:
        self.every_us = DOWN_EVERY_US
        self.measurements = [c.measurement for c in (*family.dark, *family.lit)]
        self.wake = FAR_AWAY
        self._family = family
        self._parent = np.array([registry.devices[d].parent_id or -1 for d in devices], dtype=np.int64)
        n = len(devices)
        self._online = np.full(n, NEVER, dtype=np.int64)
        self._offline = np.full(n, NEVER, dtype=np.int64)
        self._open: dict[int, Lasting] = {}
        self._alerts: dict[int, dict[str, int]] = {}

    def connected(self, place: int, presence: Presence) -> None:
        """Take what the broker says of a device."""
        self._online[place] = presence.at if presence.online else NEVER
        self._offline[place] = NEVER if presence.online else presence.at

    def note(self, place: int, transition: Transition) -> None:
        """Take a change of one of the alerts that the incident would explain."""
        alerts = self._alerts.setdefault(place, {})
        if transition.to_state is ConditionState.FIRING:
            alerts.setdefault(transition.rule, transition.observed_at)
        else:
            alerts.pop(transition.rule, None)

    def look(self, newest: LatestValues, at: int) -> Iterator[Found]:
        """Yield parents that go down; end the incidents of those that are up again."""
        known = np.flatnonzero((newest.received_at > NEVER) & (self._parent >= 0))
        children = self._children(newest, known, at)
        self.wake = self._next(children, at)
        if self._open:
            for lasting, _ in outages.ended(children, list(self._open.values()), self._family, at):
                del self._open[lasting.parent]
        for incident in outages.begun(children, self._family, at, _NEVER_AWAY):
            if incident.parent not in self._open:
                self._open[incident.parent] = Lasting(
                    parent=incident.parent,
                    opened_at=at,
                    children=incident.children,
                    dark=incident.dark > incident.silent,
                )
                yield incident.parent, at

    def _children(self, newest: LatestValues, known: Ints, at: int) -> Children:
        family = self._family
        received = newest.received_at[known]
        left = np.where(self._offline[known] >= received, self._offline[known], NEVER)
        interval = newest.interval_us[known]
        failed = [
            any(opened < at - 2 * newest.interval_us[p] for opened in self._alerts.get(p, {}).values())
            for p in known.tolist()
        ]
        return Children(
            parent=self._parent[known],
            received_at=received,
            heard_at=np.maximum(received, self._online[known]),
            interval_us=interval,
            left_at=left,
            dark=_truth(family.dark, newest, known, otherwise=False),
            lit=_truth(family.lit, newest, known, otherwise=True),
            failed_before=np.array(failed, dtype=bool),
        )

    def _next(self, children: Children, at: int) -> int:
        overdue = children.heard_at + (children.interval_us * self._family.missing).astype(np.int64)
        gone = np.where(children.left_at > NEVER, children.left_at + outages.GONE_US, NEVER)
        coming = np.concatenate([overdue, gone])
        coming = coming[coming >= at]
        return int(coming.min()) + 1 if len(coming) else FAR_AWAY


def _truth(
    comparisons: Sequence[Comparison], newest: LatestValues, known: Ints, *, otherwise: bool
) -> NDArray[np.bool_]:
    if not comparisons:
        return np.full(len(known), otherwise)
    values = {c.measurement: newest.good(c.measurement)[known] for c in comparisons}
    return outages.all_hold(comparisons, values)


class ApartJudge:
    """Values far from their neighbours' median."""

    def __init__(self, family: Neighbours, registry: Registry, devices: Sequence[int]) -> None:
        self.every_us = OTHERS_EVERY_US
        self.measurements = [family.measurement]
        self.wake = FAR_AWAY
        self._family = family
        known = [registry.devices[d] for d in devices]
        self._parent = np.array([d.parent_id or -1 for d in known], dtype=np.int64)
        self._lat = np.array([d.lat for d in known], dtype=np.float64)
        self._lon = np.array([d.lon for d in known], dtype=np.float64)
        self._since = np.full(len(devices), apart.NEVER, dtype=np.int64)
        self._open = np.zeros(len(devices), dtype=bool)

    def look(self, newest: LatestValues, at: int) -> Iterator[Found]:
        """Yield devices that have been far for long enough."""
        value = newest.good(self._family.measurement)
        fresh = newest.received_at + 2 * newest.interval_us > at
        asked = np.flatnonzero(np.isfinite(value) & fresh)
        since = np.full(len(value), apart.NEVER, dtype=np.int64)
        if len(asked):
            verdict = apart.judge(
                self._family,
                apart.NeighbourValues(
                    value=value[asked],
                    observed_at=newest.observed_at[asked],
                    group=self._parent[asked],
                    lat=self._lat[asked],
                    lon=self._lon[asked],
                    since=self._since[asked],
                    is_open=self._open[asked],
                ),
            )
            since[asked] = verdict.since
            self._open[asked[verdict.ends]] = False
            self._open[asked[verdict.begins]] = True
            for place in asked[verdict.begins].tolist():
                yield int(newest.device_id[place]), int(since[place]) + self._family.lasting_us
        self._since = since


class RefreshedJudge:
    """Measurements that are no longer refreshed."""

    def __init__(self, family: NotRefreshed, devices: Sequence[int]) -> None:
        self.every_us = OTHERS_EVERY_US
        self.measurements = [family.measurement]
        self.wake = FAR_AWAY
        self._family = family
        self._opened_at = np.full(len(devices), NEVER, dtype=np.int64)

    def look(self, newest: LatestValues, at: int) -> Iterator[Found]:
        """Yield devices whose measurement is overdue."""
        name = self._family.measurement
        good_at = newest.good_at[name]
        self._opened_at[good_at > self._opened_at] = NEVER
        asked = (good_at > NEVER) & np.isnan(newest.good(name)) & (self._opened_at == NEVER)
        good = refreshing.Good(good_at, newest.good_received_at[name])
        late = asked & refreshing.overdue(self._family, good, newest.received_at, newest.interval_us, at)
        patience = refreshing.patience_us(self._family, newest.interval_us)
        told_at = refreshing.told_at(good_at, newest.bad_since[name], patience)
        for place in np.flatnonzero(late).tolist():
            self._opened_at[place] = told_at[place]
            yield int(newest.device_id[place]), int(self._opened_at[place])


class FillingJudge:
    """Devices that will soon be full."""

    def __init__(self, family: Forecast, devices: Sequence[int]) -> None:
        self.every_us = OTHERS_EVERY_US
        self.measurements = [family.measurement]
        self.wake = FAR_AWAY
        self._family = family
        self._state = profile.fresh(len(devices))
        self._opened_at: dict[int, int] = {}
        self._told: list[Told] = []
        self._looked_at = np.full(len(devices), NEVER // 1_000_000, dtype=np.int64)
        self._open = np.zeros(len(devices), dtype=bool)

    def look(self, newest: LatestValues, at: int) -> Iterator[Found]:
        """Look at those that have a new reading since the last time, twice an hour each."""
        family = self._family
        value = newest.good(family.measurement)
        observed = newest.observed_at // 1_000_000
        asked = np.flatnonzero(np.isfinite(value) & profile.due(self._looked_at, observed))
        if not len(asked):
            return
        self._looked_at[asked] = observed[asked]
        state = self._state[asked]
        profile.fold(state, observed[asked], value[asked], family.emptied_by, family.reaches)
        self._state[asked] = state
        found = prediction.predict(state, observed[asked], family.reaches)
        far = asked[prediction.is_far(found, family.clear_us / 1e6)]
        for place in far[self._open[far]].tolist():
            opened_at = self._opened_at.pop(place)
            self._told.append((int(newest.device_id[place]), opened_at, int(newest.observed_at[place])))
        self._open[far] = False
        soon = asked[prediction.is_soon(found, family.reaches, family.within_us / 1e6)]
        begins = soon[~self._open[soon]]
        self._open[begins] = True
        for place in begins.tolist():
            self._opened_at[place] = int(newest.observed_at[place])
            yield int(newest.device_id[place]), self._opened_at[place]

    def spans(self, newest: LatestValues, end: int) -> list[Told]:
        """Return from when to when alerts were open, those that still are until `end`."""
        last = [(int(newest.device_id[place]), at, end) for place, at in self._opened_at.items()]
        return [*self._told, *last]


def judge_of(rule: Rule, kind: str, registry: Registry, devices: Sequence[int]) -> Judge | None:
    """Return what judges devices of one kind by a sweep rule; None when it is not about that kind."""
    match rule.definition.sweep:
        case ChildrenDown() as family if family.of == kind:
            return DownJudge(family, registry, devices)
        case Neighbours() as family if rule.definition.kind == kind:
            return ApartJudge(family, registry, devices)
        case NotRefreshed() as family if rule.definition.kind == kind:
            return RefreshedJudge(family, devices)
        case Forecast() as family if rule.definition.kind == kind:
            return FillingJudge(family, devices)
    return None
