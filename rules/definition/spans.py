"""Spans as rule files write them: holds, gaps and hours of the day.

Pure. Each raises RuleError with what was probably meant; line and column are not known here.
"""

from __future__ import annotations

import re

from rules.definition.definition import Hold, MaxGap
from rules.definition.durations import INTERVALS, duration_us, intervals, readings
from rules.definition.errors import RuleError

_LOCAL_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_LOOSE_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2})?)?\s*[-–]\s*(\d{1,2})(?:[:.h](\d{2})?)?")


def hold(text: str) -> Hold:
    """Return "2 readings", "10m" or "0" as a hold.

    Raises:
        RuleError: it is none of them.
    """
    count = readings(text)
    if count is not None:
        return Hold(readings=max(1, count))
    return Hold(lasting_us=0 if text == "0" else duration_us(text, "readings"))


def gap(text: str) -> MaxGap:
    """Return "2.5 intervals" or "6h" as a gap.

    Raises:
        RuleError: it is neither.
    """
    found = INTERVALS.fullmatch(text)
    if found:
        return MaxGap(intervals=intervals(text))
    return MaxGap(intervals=0.0, fixed_us=duration_us(text, "intervals"))


def local_time(text: str) -> tuple[int, int]:
    """Return "22:00-06:00" as minutes after midnight.

    Raises:
        RuleError: it is no such span.
    """
    found = _LOCAL_TIME.fullmatch(text)
    if not found:
        raise RuleError(f"{text!r} is not a span such as 22:00-06:00", suggestion=_span_meant(text))
    return int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])


def _span_meant(text: str) -> str | None:
    found = _LOOSE_TIME.fullmatch(text.strip())
    if not found:
        return None
    tidy = f"{int(found[1]):02}:{found[2] or '00'}-{int(found[3]):02}:{found[4] or '00'}"
    return tidy if _LOCAL_TIME.fullmatch(tidy) else None
