"""Whether two senders report under one name: their `boot` and `seq` take turns. Computes interleaved().

One restart changes the numbers once and for all; of two senders each goes on where it was. Pure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.columns import MISSING
from rules.context.memory.view import Bools, Floats, HistoryView, track

Numbers = NDArray[np.int64]

CELLS = (0, 6)
"""Instants remembered: last, until; then the numbers of the last reading, and of the other sender's last."""
_LAST, _OTHER = slice(2, 4), slice(4, 6)
_NOBODY = 0
"""What is remembered at first."""
FARTHEST = 1000
"""How many readings of one sender may be missing between two that still follow each other."""


def interleaved(view: HistoryView, boot: Numbers, seq: Numbers) -> Floats:
    """Tell of each reading whether it goes on where not the one before but an earlier sender was.

    Undecided where a reading has no numbers.

    Args:
        boot, seq: (n,) each, MISSING where there is none.
    """
    result = view.blank()
    found = track(view, ((boot != MISSING) | (seq != MISSING)).astype(np.bool_))
    if found is None:
        return result
    mine = np.stack([_kept(boot[found.rows]), _kept(seq[found.rows])], axis=1)
    before = np.concatenate([mine[:1], mine[:-1]])
    before[found.first] = view.instant(_LAST, found.owners)
    jumps = np.flatnonzero(~_goes_on(before, mine) & (before[:, 0] != _NOBODY))
    told = np.zeros(len(mine))
    if len(jumps):
        whose = found.whose[jumps]
        first = np.append(True, whose[1:] != whose[:-1])
        other = np.concatenate([before[jumps[:1]], before[jumps[:-1]]])
        other[first] = view.instant(_OTHER, whose[first])
        told[jumps] = (other[:, 0] != _NOBODY) & _goes_on(other, mine[jumps])
        last = np.append(np.flatnonzero(first)[1:], len(jumps)) - 1
        view.keep_instant(_OTHER, whose[last], before[jumps[last]])
    result[found.rows] = told
    view.keep_instant(_LAST, found.owners, mine[found.last])
    found.remember(view)
    return result


def _kept(numbers: Numbers) -> Numbers:
    """Return numbers as they are remembered: above 0, 1 for MISSING."""
    return np.where(numbers == MISSING, 1, (numbers & (2**62 - 1)) + 2)


def _goes_on(before: Numbers, now: Numbers) -> Bools:
    """Tell whether numbers follow others, (k, 2) each: the same boot, and a seq not far behind."""
    step = now[:, 1] - before[:, 1]
    without = (now[:, 1] == 1) | (before[:, 1] == 1)
    follows: Bools = (now[:, 0] == before[:, 0]) & (without | ((step >= 0) & (step <= FARTHEST)))
    return follows
