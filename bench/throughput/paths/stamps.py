"""When each step of each batch was done: a handful of readings of the clock a batch. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

STEPS = ("taken", "ahead", "decided", "fenced", "readings", "ledger", "consumed", "committed", "acknowledged")
"""In their order; `ahead` is when a batch that was decided while another committed was decided."""


class BatchStamps:
    """Hears of the steps of ingest, and gives the instants of each batch to `write` once it is acknowledged.

    Instants are microseconds in the order of STEPS. Batches are acknowledged in the order in which they are
    taken, and at most one is taken while another is at work.
    """

    def __init__(self, now: Callable[[], int], write: Callable[[list[int]], None]) -> None:
        self._now = now
        self._write = write
        self._batches: deque[dict[str, int]] = deque()

    def __call__(self, step: str) -> None:
        """Take note that a step is done."""
        at = self._now()
        match step:
            case "taken":
                self._batches.append({"taken": at})
            case "decided ahead":
                # The one at work, if that is not decided yet: then it was ahead of the one before.
                undecided = next((b for b in self._batches if "decided" not in b), None)
                if undecided is not None:
                    undecided["ahead"] = at
            case "acknowledged" if self._batches:
                batch = self._batches.popleft() | {"acknowledged": at}
                batch.setdefault("ahead", batch["decided"])
                self._write([batch[name] for name in STEPS])
            case _ if self._batches:
                self._batches[0][step] = at
