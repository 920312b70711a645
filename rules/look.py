"""What a function of a device's own past is given: the rows of a step and what was remembered before it.

Pure. Constant size per device: `values` and `instants` are copies of a state's cells, and what a function
leaves in them becomes the state once the batch is committed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.context import Context
from rules.definition import Gap
from rules.grouping import Grouping

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]


@dataclass(slots=True, kw_only=True)
class Look:
    """n rows of g devices with v remembered numbers and a remembered instants each.

    late: (n,) rows that have no past. values: (g, v), NaN at first. instants: (g, a), 0 at first.
    """

    context: Context
    grouping: Grouping
    late: Bools
    gap: Gap
    values: Floats
    instants: Instants

    def blank(self) -> Floats:
        """Return a result that is undecided everywhere."""
        return np.full(len(self.context), np.nan)


@dataclass(slots=True, kw_only=True)
class Track:
    """The k decided rows of a step, in order. All but `owners` and `last` are (k,).

    rows: where they are. owner: whose. first: whether it is its device's first in this step. gap: whether
    silence lasted too long before it, or nothing came before it at all. owners, last: devices that have any,
    and the position of each one's last.
    """

    rows: Rows
    owner: Rows
    at: Instants
    until: Instants
    first: Bools
    gap: Bools
    owners: Rows
    last: Rows

    def remember(self, look: Look) -> None:
        """Keep when each device's last decided row was, and until when the next one continues it."""
        look.instants[self.owners, 0] = self.at[self.last]
        look.instants[self.owners, 1] = self.until[self.last]

    def since(self, begins: Bools) -> Rows:
        """Return the position of the latest row, up to each one, at which something begins; -1 before."""
        return np.maximum.accumulate(np.where(begins, np.arange(len(self.rows)), -1))


def track(look: Look, decided: Bools) -> Track | None:
    """Return the rows that count, None when there are none; instants 0 and 1 are those of `remember`."""
    rows = np.flatnonzero(decided & ~look.late)
    if not len(rows):
        return None
    owner = look.grouping.group[rows]
    at = look.context.observed_at[rows]
    until = at + look.gap.fixed_us
    if look.gap.intervals:
        until = until + (look.gap.intervals * look.context.interval_us()[rows]).astype(np.int64)
    first = np.ones(len(rows), dtype=np.bool_)
    first[1:] = owner[1:] != owner[:-1]
    due = np.where(first, look.instants[owner, 1], np.concatenate([[0], until[:-1]]))
    begin = np.flatnonzero(first)
    return Track(
        rows=rows,
        owner=owner,
        at=at,
        until=until,
        first=first,
        gap=at > due,
        owners=owner[begin],
        last=np.append(begin[1:], len(rows)) - 1,
    )
