"""Firmware over arrays: nothing is found, because what devices said of it in the past is not kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from alerts.transition import Transition
from rules.sweeps.arrays.received import Ints, PendingReadings, ReceivedReadings

NEVER = np.iinfo(np.int64).max


class BehindOverArrays:
    """A sweep that reads nothing and finds nothing."""

    measurements: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.device_id: Ints = np.zeros(0, dtype=np.int64)

    def next_at(self, _: PendingReadings) -> int:
        """Return that it never looks."""
        return int(NEVER)

    def take(self, _: ReceivedReadings) -> None:
        """Take nothing in."""

    def judge(self, _: int) -> Iterator[Transition]:
        """Yield nothing."""
        return iter(())
