"""What the slowest messages waited for: the path of a message is that of its batch. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.throughput.paths.stamps import STEPS

PARTS = (
    "generator and broker",
    "waiting for the batch",
    "decoding and deciding",
    "waiting for the previous commit",
    "commit: begin",
    "commit: rows, rules meanwhile",
    "commit: ledger, rejections",
    "commit: newest values, rest of the rules",
    "commit: COMMIT",
    "receipts",
)
"""One after the other; all but receipts, which are sent once the commit is done, make up the latency."""
SLOWEST = 0.01

PathTimes = dict[str, float]
"""Mean milliseconds by part, in the order of PARTS."""


def paths(
    intended: NDArray[np.int64],
    received: NDArray[np.int64],
    batch: NDArray[np.int64],
    stamps: NDArray[np.int64],
) -> tuple[PathTimes, PathTimes]:
    """Return the mean path of all messages, and of the slowest hundredth (one at least) to be committed.

    Args:
        intended: (n,) microseconds at which each message was to be sent.
        received: (n,) when it was received; those that came together are told apart by later microseconds.
        batch: (n,) which batch it was in, from 0.
        stamps: (batches, len(STEPS)) when each step of each batch was done.
    """
    of = stamps[batch]
    # A message counts as received when it was told apart, which may be after its batch was taken.
    reached = np.minimum(received, of[:, 0])
    instants = np.column_stack([intended, reached, of])
    spent = np.diff(instants, axis=1) / 1000
    latency = instants[:, 2 + STEPS.index("committed")] - intended
    worst = np.argsort(latency, kind="stable")[-max(1, round(len(latency) * SLOWEST)) :]
    return _means(spent), _means(spent[worst])


def _means(spent: NDArray[np.float64]) -> PathTimes:
    return {part: round(float(ms), 2) for part, ms in zip(PARTS, spent.mean(axis=0), strict=True)}
