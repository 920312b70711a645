"""How long readings are watched after a repair: 2h, 3 intervals, 2 nights. Pure.

What kinds and rules say of it, read by whoever verifies work. Must not know work or rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

SpanUnit = Literal["s", "intervals", "nights"]

_TEXT = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)\s*(s|m|h|d|intervals?|nights?)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LONGEST_S = 90 * 86_400
MOST = {"intervals": 1_000, "nights": 90}
NIGHT_BEGINS, NIGHT_ENDS = time(16), time(8)
"""By the local clock: work that ended after the first has not seen that night whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSpan:
    """So many seconds, intervals at which the device reports, or nights."""

    amount: float
    unit: SpanUnit

    def __str__(self) -> str:
        return f"{self.amount:g}s" if self.unit == "s" else f"{self.amount:g} {self.unit}"

    def end(self, start: datetime, interval_s: float, zone: ZoneInfo) -> datetime:
        """Return until when readings are watched after work that ended at `start`.

        Args:
            interval_s: how often the device reports.
            zone: of the clock by which nights come and go.
        """
        if self.unit == "s":
            return start + timedelta(seconds=self.amount)
        if self.unit == "intervals":
            return start + timedelta(seconds=self.amount * interval_s)
        local = start.astimezone(zone)
        nights = int(self.amount) + (local.time() >= NIGHT_BEGINS)
        morning = datetime.combine(local.date() + timedelta(days=nights), NIGHT_ENDS, tzinfo=zone)
        return morning.astimezone(start.tzinfo)


def parse(text: str) -> VerificationSpan:
    """Return a span as people write it.

    Raises:
        ValueError: it is none, with what would be one.
    """
    found = _TEXT.fullmatch(text.strip())
    amount = float(found[1]) if found else 0.0
    if found is None or amount <= 0:
        raise ValueError(f"{text.strip()[:40]!r} is not a time such as 2h, 3 intervals or 2 nights")
    if found[2] in _SECONDS:
        seconds = amount * _SECONDS[found[2]]
        if seconds > LONGEST_S:
            raise ValueError("is at most 90 days")
        return VerificationSpan(amount=seconds, unit="s")
    unit: SpanUnit = "nights" if found[2].startswith("night") else "intervals"
    if amount > MOST[unit] or (unit == "nights" and amount != int(amount)):
        raise ValueError(f"is a number of {unit} of at most {MOST[unit]}")
    return VerificationSpan(amount=amount, unit=unit)
