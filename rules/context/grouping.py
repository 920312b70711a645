"""Rows of a batch, grouped by device: which, in which order, and which are late.

Pure arithmetic on arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """n rows of g devices, sorted by device; the rows of a device keep the order they arrived in.

    order: (n,) where each sorted row came from. state_rows: (g,) the device's row in the state. group: (n,)
    0..g-1. first, last: (g,) a device's first and last row. rank: (n,) position within the device.
    """

    order: NDArray[np.intp]
    state_rows: NDArray[np.intp]
    group: NDArray[np.intp]
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    rank: NDArray[np.intp]


def group(state_rows: NDArray[np.intp]) -> Grouping:
    """Group rows given by the state's row of their device."""
    # numpy sorts numbers of two bytes by radix, which is faster than comparing.
    few = not len(state_rows) or state_rows.max() <= np.iinfo(np.uint16).max
    order = np.argsort(state_rows.astype(np.uint16) if few else state_rows, kind="stable")
    ordered = state_rows[order]
    begins = np.ones(len(ordered), dtype=np.bool_)
    begins[1:] = ordered[1:] != ordered[:-1]
    first = np.flatnonzero(begins)
    number = np.cumsum(begins) - 1
    return Grouping(
        order=order,
        state_rows=ordered[first],
        group=number,
        first=first,
        last=np.append(first[1:], len(ordered)) - 1,
        rank=np.arange(len(ordered)) - first[number],
    )


def late_rows(
    grouping: Grouping,
    observed_at: NDArray[np.int64],
    watermark: NDArray[np.int64],
    filled: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Tell which sorted rows are at or before their device's newest instant when they arrived, shape (n,).

    A row that completes the newest reading is not late: nothing has come after it.

    Args:
        observed_at: (n,) sorted.
        watermark: (g,) newest observed_at before the batch.
        filled: (n,) sorted, rows that complete a stored reading; None where none does.
    """
    late = observed_at <= watermark[grouping.group]
    if filled is not None:
        late &= ~(filled & (observed_at == watermark[grouping.group]))
    followers = grouping.rank > 0
    backwards = np.zeros(len(late), dtype=np.bool_)
    backwards[1:] = followers[1:] & (observed_at[1:] <= observed_at[:-1])
    if backwards.any():
        # Ranks of instants instead of instants: adding a multiple per group cannot overflow.
        _, position = np.unique(observed_at, return_inverse=True)
        lifted = position + grouping.group * len(position)
        newest = np.maximum.accumulate(lifted)
        behind = lifted[1:] <= newest[:-1]
        if filled is not None:
            behind &= ~(filled[1:] & (lifted[1:] == newest[:-1]))
        late[1:] |= followers[1:] & behind
    return late
