"""Which parents have several children that measure too little, or too much, together.

Pure: columns in, incidents out. Must not know the database or when a sweep looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.definition.families import ChildrenApart
from rules.sweeps.core import neighbourhood

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

GROUP_SHARE = 0.6
"""Of a declared group most must be off."""
_GROUP_LEAST = 2
_HEARD_SHARE = 0.5
_STAYS_TOLERANCE, _STAYS_MINIMUM = 0.87, 0.5
"""What is off already is off until it is clearly within limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildValues:
    """Newest good values of what hangs on some parents, (n,) each.

    group: equal for those on one conductor, negative where that is not known. nominal: what is right, or NaN.
    """

    parent: Ints
    group: Ints
    value: Floats
    nominal: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ApartIncident:
    """What is wrong below one parent. apart: rows of the children that are off; value: their median."""

    parent: int
    children: int
    apart: tuple[int, ...]
    value: float
    median: float


def is_heard(parent: Ints, fresh: Bools) -> Bools:
    """Tell of which parents enough children were heard lately to say anything, beginning or end, (n,).

    Args:
        parent: (n,) of every child that has ever measured. fresh: whether its newest value is of now.
    """
    _, group = np.unique(parent, return_inverse=True)
    size, heard = np.bincount(group), np.bincount(group, fresh)
    enough: Bools = heard >= _HEARD_SHARE * size
    return enough[group]


def find_apart(family: ChildrenApart, children: ChildValues, *, stays: bool = False) -> list[ApartIncident]:
    """Return the parents below which several children are off in one direction, ascending.

    Args:
        stays: ask for what is not over yet instead of what begins.
    """
    tolerance = family.tolerance * (_STAYS_TOLERANCE if stays else 1)
    minimum = family.minimum * (_STAYS_MINIMUM if stays else 1)
    value, nominal = children.value, children.nominal
    median = neighbourhood.by_group(children.parent).median(value)
    low, high = value < (1 - tolerance) * nominal, value > (1 + tolerance) * nominal
    # What is not even within limits is the cause, and not what differs from it.
    directions = ((low, low | (value < median - minimum)), (high, high | (value > median + minimum)))
    found = []
    for parent in np.unique(children.parent[directions[0][1] | directions[1][1]]).tolist():
        own = children.parent == parent
        hits = [
            (int((limit & own).sum()), rows)
            for limit, off in directions
            if len(rows := _together(family, children, off & own, own))
        ]
        if hits:
            _, rows = max(hits, key=lambda hit: (hit[0], len(hit[1])))
            found.append(
                ApartIncident(
                    parent=parent,
                    children=int(own.sum()),
                    apart=tuple(rows.tolist()),
                    value=float(np.median(value[rows])),
                    median=float(median[rows[0]]),
                )
            )
    return found


def _together(family: ChildrenApart, children: ChildValues, off: Bools, own: Bools) -> NDArray[np.intp]:
    """Return the rows that are off by one cause, none where each has its own."""
    rows = np.flatnonzero(off)
    if len(rows) >= family.at_least:
        # What lies behind one joint has about the same; several bad joints each have their own.
        value = children.value[rows]
        alike = rows[np.abs(value - np.median(value)) <= family.minimum]
        if len(alike) >= family.at_least and len(alike) >= family.share * int(own.sum()):
            return alike
    groups = [np.flatnonzero(off & whole) for whole in _groups(children, own) if _is_hit(off, whole)]
    return np.concatenate(groups) if groups else np.empty(0, dtype=np.intp)


def _groups(children: ChildValues, own: Bools) -> Iterator[Bools]:
    for group in np.unique(children.group[own & (children.group >= 0)]).tolist():
        yield own & (children.group == group)


def _is_hit(off: Bools, whole: Bools) -> bool:
    many = int((off & whole).sum())
    return many >= _GROUP_LEAST and many >= GROUP_SHARE * int(whole.sum())


def numbered(parent: Ints, said: NDArray[np.object_]) -> Ints:
    """Return a number for each (parent, text), (n,); -1 where the text is missing."""
    numbers: dict[tuple[int, str], int] = {}
    found = [
        numbers.setdefault((p, text), len(numbers)) if isinstance(text, str) and text else -1
        for p, text in zip(parent.tolist(), said.tolist(), strict=True)
    ]
    return np.array(found, dtype=np.int64)
