"""What rollups cost ingest: drains that mark their hours and are rolled up meanwhile, and drains without."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.throughput import drain
from bench.throughput.drain import Drain
from bench.throughput.rig import Rig
from bench.throughput.traffic import Stream
from devices import kinds
from nabd import clock, rollups
from store.pool import connect

UNMARKED = (sys.executable, "-m", "bench.throughput.ingests.unmarked")


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupCost:
    """Drains in turns, as many with as without."""

    marked: Sequence[Drain]
    unmarked: Sequence[Drain]

    @property
    def ratio(self) -> float:
        """What remains of the rate: with rollups / without, medians."""
        rates = (median(one.messages_per_s for one in runs) for runs in (self.marked, self.unmarked))
        return next(rates) / next(rates)

    def summary(self) -> dict[str, Any]:
        """Return the figures that programs read."""
        runs = [*self.marked, *self.unmarked]
        return {
            "ratio": round(self.ratio, 3),
            "with_per_s": [round(one.messages_per_s) for one in self.marked],
            "without_per_s": [round(one.messages_per_s) for one in self.unmarked],
            "sent": sum(one.sent for one in runs),
            "stored": sum(one.stored for one in runs),
            "lost": sum(one.lost for one in runs),
        }


async def run(rig: Rig, dsn: str, stream: Stream, name: str, *, marked: bool) -> Drain:
    """Drain with marks and one turn of rollups begun halfway, or without any of it.

    A turn comes every 20 s in production: shorter drains pay more for theirs than they would there.
    """
    if marked:
        return await drain.run(rig, dsn, stream, name, halfway=_turn)
    return await drain.run(rig, dsn, stream, name, command=UNMARKED)


async def _turn(dsn: str) -> None:
    connection = await connect(dsn)
    try:
        while await rollups.turn(connection, list(kinds.load().values()), clock.wall):
            pass
    finally:
        await connection.close()
