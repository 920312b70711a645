"""Which parents went down with most of what hangs on them, and which of those are up again.

Pure: columns in, incidents out. Must not know the database or when a sweep looks.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import Kind, floor_attribute
from devices.reporting import Fetch
from rules.definition.families import ChildrenDown, Comparison
from rules.sweeps.core.instants import NEVER

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DISCONNECTED_US = 60_000_000
"""A connection that ended must have stayed away for so long: devices reconnect."""

_OPERATORS: Mapping[str, Callable[[Floats, Floats], Bools]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """What hangs on some parents, (n,) each; instants and intervals in microseconds.

    received_at: of the newest reading. seen_at: newest sign of life, a connection included. disconnected_at:
    when the broker saw its connection end after that reading, else NEVER. dark, lit: by its newest reading.
    failed_before: it has an alert of its own that is older than what may be happening now.
    """

    parent: Ints
    received_at: Ints
    seen_at: Ints
    interval_us: Ints
    disconnected_at: Ints
    dark: Bools
    lit: Bools
    failed_before: Bools

    def __len__(self) -> int:
        return len(self.parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A parent that went down. since: last sign of life, or first dark reading. down: rows of children."""

    parent: int
    children: int
    silent: int
    dark: int
    since: int
    received_at: int
    down: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    """An incident under way, as it was when it opened: its instant, children, and whether most were dark."""

    parent: int
    opened_at: int
    children: int
    dark: bool


def all_hold(comparisons: Sequence[Comparison], kind: Kind, known: Fetch) -> Bools:
    """Tell where all comparisons hold, (n,).

    What is missing or suspect holds nothing; nor does what lies, as its limit does, below a meter's floor.

    Args:
        known: measurements, good ones, and attributes of the children.
    """
    held: Bools = np.logical_and.reduce([_holds(c, kind, known) for c in comparisons])
    return held


def _holds(comparison: Comparison, kind: Kind, known: Fetch) -> Bools:
    value = known(comparison.measurement)
    limit = np.full(len(value), comparison.value)
    for name in comparison.factors:
        limit = limit * known(name)
    holds: Bools = _OPERATORS[comparison.operator](value, limit)
    floor = kind.measurement(comparison.measurement).floor
    if floor is not None:
        own = known(floor_attribute(comparison.measurement))
        least = np.where(np.isnan(own), floor, own)
        holds &= ~((value < least) & (limit < least))
    return holds


def knowing(kind: Kind, measured: Fetch, attribute: Fetch) -> Fetch:
    """Return what fetches measurements and attributes by one name, defaults of the kind included."""
    measurements = {m.name for m in kind.measurements}
    defaults = {a.name: a.default for a in kind.attributes if isinstance(a.default, int | float)}

    def known(name: str) -> Floats:
        if name in measurements:
            return measured(name)
        found = attribute(name)
        return np.where(np.isnan(found), defaults.get(name, np.nan), found)

    return known


def tells_of_parent(parent: Ints, alone: Bools, at_least: int) -> Bools:
    """Tell which children a parent is judged by, (n,).

    A child that another gateway could relay is heard although this one is dead: where enough children hang on
    a parent alone, it is judged by those.

    Args:
        parent: of each child and parent; a child of several parents stands there several times.
        alone: whether the child hangs on that parent alone.
    """
    names, group = np.unique(parent, return_inverse=True)
    enough = np.bincount(group, alone, len(names)) >= at_least
    telling: Bools = alone | ~enough[group]
    return telling


def find_begun(children: Children, family: ChildrenDown, at: int, caught_up_at: int) -> list[Incident]:
    """Return the parents that are down at an instant.

    Whoever fell long before the others counts neither as down nor as up: a circuit does not fail lamp
    by lamp over a year.

    Args:
        caught_up_at: since when we would have received something; an outage of ours silences nobody.
    """
    silent = _silent(children, family, at, caught_up_at)
    names, group = np.unique(children.parent, return_inverse=True)
    last_seen = np.full(len(names), NEVER)
    np.maximum.at(last_seen, group[silent], children.seen_at[silent])
    together = children.seen_at + children.interval_us + family.within_us >= last_seen[group]
    silenced = silent & together
    darkened = children.dark & ~silent & ~children.failed_before
    counted = silenced | darkened | ~(silent | children.dark)
    down = silenced | darkened
    size = np.bincount(group, counted, len(names))
    fell = np.bincount(group, down, len(names))
    hit = (size >= family.at_least) & (fell >= size * family.share)
    found = []
    for number in np.flatnonzero(hit).tolist():
        own = group == number
        found.append(
            _incident(children, int(names[number]), int(size[number]), silenced & own, darkened & own, own)
        )
    return found


def patience_us(family: ChildrenDown, interval_us: Ints) -> Ints:
    """Return for how long nothing may be seen of children, (n,)."""
    return (interval_us * family.missing).astype(np.int64)


def _silent(children: Children, family: ChildrenDown, at: int, caught_up_at: int) -> Bools:
    patience = patience_us(family, children.interval_us)
    overdue = (children.seen_at + patience < at) & (caught_up_at + patience < at)
    left = children.disconnected_at
    gone = (left > NEVER) & (left < at - DISCONNECTED_US)
    silent: Bools = overdue | (gone & (caught_up_at + family.within_us < at))
    return silent


def _incident(
    children: Children, parent: int, size: int, silenced: Bools, darkened: Bools, own: Bools
) -> Incident:
    seen = children.seen_at[silenced]
    since = seen.max() if len(seen) else children.received_at[darkened].min()
    return Incident(
        parent=parent,
        children=size,
        silent=int(silenced.sum()),
        dark=int(darkened.sum()),
        since=int(since),
        received_at=int(children.received_at[own].max()),
        down=tuple(np.flatnonzero(silenced | darkened).tolist()),
    )


def find_ended(
    children: Children, incidents: Sequence[OpenIncident], family: ChildrenDown, at: int
) -> list[tuple[OpenIncident, int]]:
    """Return incidents in which few enough are still down, each with how many children are up.

    Up: seen after it began, connected, not overdue, not dark; lit where it was one of darkness.
    """
    patience = patience_us(family, children.interval_us)
    here = (children.seen_at + patience >= at) & (children.disconnected_at == NEVER) & ~children.dark
    ended = []
    for incident in incidents:
        own = children.parent == incident.parent
        is_up = own & here & (children.seen_at > incident.opened_at)
        up = int((is_up & children.lit if incident.dark else is_up).sum())
        # A child moved elsewhere, or retired, is nobody's to wait for.
        if up >= min(incident.children, int(own.sum())) * (1 - family.clear):
            ended.append((incident, up))
    return ended
