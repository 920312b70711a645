"""Turns at telling: some for receivers that answer soon, fewer for those that fail or are slow.

Of each lane a municipality has half at most, so that the receivers of one keep none of another waiting.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager


class Lane:
    """Turns of one sort. judging: conditions of callers are asked one page at a time."""

    def __init__(self, turns: int) -> None:
        self._turns = asyncio.Semaphore(turns)
        half = max(turns // 2, 1)
        self._of_owner = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(half))
        self.judging = asyncio.Semaphore(1)

    @asynccontextmanager
    async def turn(self, towns: Sequence[str] | None) -> AsyncIterator[None]:
        """Wait for a turn of those who own subscriptions of municipalities; None: of the platform."""
        owner = "" if towns is None else " ".join(sorted(towns))
        async with self._of_owner[owner], self._turns:
            yield
