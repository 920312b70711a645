"""What a bucket of readings is summarised to. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One measurement over one bucket, suspect values left out; booleans count as 0 and 1.

    Of a circular measurement `avg` is the mean direction, and the values lie between `min` and `max` on the
    side of it. `grown` is how much a counter grew, resets included; None for others.
    """

    min: float | None
    max: float | None
    avg: float | None
    count: int
    last: float | str | None
    grown: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingBucket:
    """One bucket that holds at least one reading: when it starts, how many readings, and their summaries."""

    at: datetime
    readings: int
    values: Mapping[str, Summary]


class SummaryRow(Protocol):
    """A row as the database gives it."""

    def __getitem__(self, name: str, /) -> Any: ...

    def get(self, name: str, /) -> Any: ...


def summary_of(row: SummaryRow, alias: str) -> Summary:
    """Return the summary in the columns {alias}_count, _last, _min, _max, _avg and _grown of a row."""
    return Summary(
        count=row[f"{alias}_count"],
        last=row[f"{alias}_last"],
        min=row.get(f"{alias}_min"),
        max=row.get(f"{alias}_max"),
        avg=row.get(f"{alias}_avg"),
        grown=row.get(f"{alias}_grown"),
    )
