"""The signed-rank test of Wilcoxon for few pairs, exact: every way to distribute signs is counted. Pure.

Wilcoxon 1945; midranks for ties, pairs without a difference dropped. The interval is that of Hodges and
Lehmann 1963, of all pairs: the means of two that the same test would not refuse if there were neither ties
nor pairs without a difference. With such the two may disagree: a difference is shown where both say so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST = 6
"""Pairs with a difference; with fewer, even if all go one way, chance alone does so more often than once in
twenty times.
"""
LEVEL = 0.05


def p_value(differences: NDArray[np.float64]) -> float:
    """Return how often chance alone makes differences at least as one-sided, two-sided; 1 without any."""
    differences = differences[differences != 0]
    ranks = _doubled_midranks(np.abs(differences))
    chances = _chances(ranks)
    positive = int(ranks[differences > 0].sum())
    least = min(positive, int(ranks.sum()) - positive)
    return min(1.0, 2 * float(chances[: least + 1].sum()))


def shows(differences: NDArray[np.float64]) -> bool:
    """Return whether there is a difference at LEVEL: by the test, and 0 outside the interval."""
    bounds = interval(differences)
    if bounds is None or np.count_nonzero(differences) < FEWEST:
        return False
    return p_value(differences) <= LEVEL and (bounds[0] > 0 or bounds[1] < 0)


def interval(differences: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return between which bounds the typical difference lies, at 1 - LEVEL; None for too few pairs."""
    n = len(differences)
    if n < FEWEST:
        return None
    first, second = np.triu_indices(n)
    means = np.sort((differences[first] + differences[second]) / 2)
    below = 2 * np.cumsum(_chances(np.arange(1, n + 1, dtype=np.int64)))
    outside = int(np.searchsorted(below, LEVEL, side="right"))
    return float(means[outside - 1]), float(means[-outside])


def _doubled_midranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return twice the rank of each value, so that those between two ranks are whole."""
    ordered = np.sort(values)
    below, up_to = np.searchsorted(ordered, values), np.searchsorted(ordered, values, side="right")
    return (below + up_to + 1).astype(np.int64)


def _chances(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how probable each sum of the positive ranks is, from 0 on, where signs are chance."""
    chances = np.ones(1)
    for rank in ranks.tolist():
        with_it = np.concatenate([np.zeros(rank), chances])
        chances = (np.concatenate([chances, np.zeros(rank)]) + with_it) / 2
    return chances
