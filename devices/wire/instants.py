"""The `ts` of an element as microseconds since 1970-01-01Z.

The unit of a number follows from its size; texts are RFC 3339 with an offset. Must not know the present time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

ABSENT = np.iinfo(np.int64).min
"""observed_at of an element without `ts`; resolved from the receive time later."""

Ts = int | float | str | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")

# Below these a number is seconds, milliseconds, microseconds (until the years 5138 in each unit).
_SECONDS, _MILLISECONDS, _MICROSECONDS = 1e11, 1e14, 1e17


class BadTime(ValueError):
    """A `ts` that names no instant; the text says why."""


def parse_all(values: Sequence[Ts]) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Parse the `ts` of n elements.

    Returns:
        (n,) int64 microseconds, ABSENT where there is no `ts`; and why, by position, where it names
        no instant.
    """
    try:
        numbers = np.array(values, dtype=np.float64)
    except (ValueError, OverflowError):
        return _parse_each(values)
    absent = np.isnan(numbers)
    fine = absent | ((numbers >= 0) & (numbers < _MICROSECONDS))
    if not fine.all() or str in set(map(type, values)):
        return _parse_each(values)
    scale = np.where(numbers < _SECONDS, 1e6, np.where(numbers < _MILLISECONDS, 1e3, 1.0))
    return np.where(absent, ABSENT, np.rint(np.where(absent, 0.0, numbers) * scale).astype(np.int64)), {}


def parse(value: Ts) -> int:
    """Parse one `ts` to microseconds; ABSENT for None.

    Raises:
        BadTime: out of range, not RFC 3339, or without an offset.
    """
    if value is None:
        return int(ABSENT)
    if isinstance(value, str):
        return _parse_text(value)
    if not 0 <= value < _MICROSECONDS:
        raise BadTime("a number must be at least 0 and below 1e17")
    number = float(value)  # as parse_all has it: one instant, whatever a reading comes with
    if number < _SECONDS:
        return round(number * 1_000_000)
    return round(number * 1000) if number < _MILLISECONDS else round(number)


def _parse_text(text: str) -> int:
    match = _RFC3339.fullmatch(text)
    if not match:
        raise BadTime("not RFC 3339, for example 2026-03-01T07:30:00.250Z")
    if match[2] is None:
        raise BadTime("no offset: append Z, or the offset such as +02:00")
    try:
        return (datetime.fromisoformat(text.upper()) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise BadTime(str(error)) from error


def _parse_each(values: Sequence[Ts]) -> tuple[NDArray[np.int64], dict[int, str]]:
    instants = np.full(len(values), ABSENT, dtype=np.int64)
    bad: dict[int, str] = {}
    for i, value in enumerate(values):
        try:
            instants[i] = parse(value)
        except BadTime as error:
            bad[i] = str(error)
    return instants, bad
