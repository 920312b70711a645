"""Instants: int microseconds since 1970-01-01Z inside, aware datetimes in UTC and RFC 3339 at the edges.

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


def rfc3339(instant: datetime) -> str:
    """Return an aware datetime as RFC 3339 in UTC, for example 2026-03-01T08:30:00.25Z."""
    text = instant.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def of_rfc3339(text: str) -> int:
    """Return the microseconds since 1970-01-01Z of a text with an offset.

    Raises:
        ValueError: it is none.
    """
    return to_microseconds(datetime.fromisoformat(text))
