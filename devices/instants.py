"""Instants: int microseconds since 1970-01-01Z inside, aware datetimes in UTC at the edges.

Pure. Must not read the wall clock: code that needs the time is given a `Now`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Now = Callable[[], int]
"""Returns the present instant in microseconds since 1970-01-01Z."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_datetime(microseconds: int) -> datetime:
    """Return the aware datetime (UTC) of an instant, exact to the microsecond."""
    return EPOCH + timedelta(microseconds=microseconds)


def to_microseconds(instant: datetime) -> int:
    """Return microseconds since 1970-01-01Z of an aware datetime, exact."""
    return (instant - EPOCH) // MICROSECOND
