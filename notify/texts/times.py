"""Instants and lengths of time as the reader of a message writes them. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from devices.time_zones import zone_named
from notify.message import Reader
from rules.explain.texts import duration

_BY_THE_SECOND = timedelta(minutes=10)
"""What is longer is told to the minute."""


def moment(instant: datetime, reader: Reader) -> str:
    """Return an instant on the reader's clock: 21:05, with its day where that is not today."""
    zone = zone_named(reader.time_zone)
    local, today = instant.astimezone(zone), reader.at.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%d/%m %H:%M}" if local.year == today.year else f"{local:%d/%m/%Y %H:%M}"


def lasting(length: timedelta, reader: Reader) -> str:
    """Return a length of time in its two largest units; a negative one is none."""
    length = max(length, timedelta())
    if length >= _BY_THE_SECOND:
        length -= length % timedelta(minutes=1)
    return duration(length // timedelta(microseconds=1), reader.language)
