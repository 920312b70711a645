"""Instants as the API reads and writes them: RFC 3339, any offset in, UTC out.

Pure. A time without an offset is refused: it would mean another instant in each time zone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, PlainSerializer

from devices.instants import rfc3339, to_datetime


def of_microseconds(instant: int) -> str:
    """Return microseconds since 1970-01-01Z as RFC 3339 in UTC."""
    return rfc3339(to_datetime(instant))


def _reachable(instant: datetime) -> datetime:
    # Beyond these a shift by an offset or by a day is outside of Python's calendar.
    if not 1900 <= instant.year < 9999:
        raise ValueError("write an instant of the years 1900 to 9998")
    return instant


def _written_out(value: object) -> object:
    # pydantic takes bare numbers for seconds or milliseconds since 1970, whichever seems likelier.
    if not isinstance(value, str | datetime) or (isinstance(value, str) and "-" not in value[1:]):
        raise ValueError("write an instant as RFC 3339, for example 2026-03-01T08:30:00Z")
    return value


Instant = Annotated[AwareDatetime, PlainSerializer(rfc3339, return_type=str)]
"""An instant in responses."""

Asked = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_reachable)]
"""An instant in requests."""
