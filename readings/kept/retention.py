"""How long readings and their rollups are kept: one length each, and others for some kinds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from store.tables import CHUNK, RETENTION, Resolution

Lengths = Mapping[Resolution, timedelta]
FEWEST_ROWS, MOST = 10_000_000, timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """`lengths` of all kinds, and by kind those that are different. chunk: how much time one holds."""

    lengths: Lengths = field(default_factory=lambda: RETENTION)
    of_kinds: Mapping[str, Lengths] = field(default_factory=dict)
    chunk: timedelta = CHUNK

    def of(self, kind: str, resolution: Resolution) -> timedelta:
        """Return how long rows of a kind are kept."""
        return self.of_kinds.get(kind, {}).get(resolution, self.lengths[resolution])

    def longest(self, resolution: Resolution) -> timedelta:
        """Return how long rows are kept of the kind whose rows are kept longest."""
        own = (lengths.get(resolution) for lengths in self.of_kinds.values())
        return max(self.lengths[resolution], *(length for length in own if length is not None), timedelta(0))


KEPT = Retention()
"""When nobody said otherwise."""


def chunk_for(readings_per_day: int) -> timedelta:
    """Return how much time a chunk should span where about so many readings of a kind arrive in a day.

    About ten million rows, so that the newest chunk with its index stays in memory: from a day to a week.
    """
    days = FEWEST_ROWS // max(readings_per_day, 1)
    return min(max(timedelta(days=days), CHUNK), MOST)
