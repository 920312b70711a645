"""When a sweep rule looks, over readings as they were received: whenever something may have changed.

In service a leader looks at every tick of its clock; where nothing was received and no time is over it would
find nothing, so that those looks are left out. Must not know how a rule judges.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.transition import Transition
from rules.sweeps.arrays.array_sweep import ArraySweep
from rules.sweeps.arrays.received import PendingReadings, ReceivedReadings
from rules.sweeps.core.instants import NEVER


class SweepReplay:
    """One sweep rule over the readings of one kind.

    Args:
        tick_us: it looks at multiples of this only.
        every_us: and not more often than this.
    """

    def __init__(self, sweep: ArraySweep, *, tick_us: int, every_us: int) -> None:
        self._sweep = sweep
        self._tick_us = tick_us
        self._every_us = every_us
        self._pending = PendingReadings()
        self._looked_at = NEVER

    def receive(self, received: ReceivedReadings) -> None:
        """Add readings that were received after all before."""
        self._pending.add(received)

    def until(self, end: int) -> Iterator[tuple[int, Transition]]:
        """Yield what it finds before an instant, each with when it looked; microseconds."""
        while (at := self._next_at()) < end:
            self._looked_at = at
            for received in self._pending.take(at):
                self._sweep.take(received)
            for transition in self._sweep.judge(at):
                yield at, transition

    def _next_at(self) -> int:
        soonest = max(self._sweep.next_at(self._pending), self._looked_at + self._every_us)
        return -(-soonest // self._tick_us) * self._tick_us
