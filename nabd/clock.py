"""The wall clock: read here and nowhere else.

Under `nabd demo --speed S` every process of the platform and the simulator share one scaled clock, passed as
NABD_CLOCK=REAL:SCALED:SPEED (two instants in microseconds, and how fast scaled time runs).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Now = Callable[[], int]
"""Returns microseconds since 1970-01-01Z."""


def wall() -> int:
    """Return the machine's time in microseconds since 1970-01-01Z."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """Time that was `scaled` when the machine's clock showed `real`, and runs `speed` times as fast."""

    real: int
    scaled: int
    speed: float

    def __call__(self) -> int:
        """Return scaled microseconds since 1970-01-01Z."""
        return self.at(wall())

    def at(self, real: int) -> int:
        """Return what this clock shows when the machine's clock shows `real`."""
        return self.scaled + int((real - self.real) * self.speed)

    def __str__(self) -> str:
        return f"{self.real}:{self.scaled}:{self.speed:g}"


def parse(text: str | None) -> tuple[Now, float]:
    """Return the clock that NABD_CLOCK describes and its speed; the wall clock when it is empty.

    Raises:
        ValueError: the text is not REAL:SCALED:SPEED.
    """
    if not text:
        return wall, 1.0
    try:
        real, scaled, speed = text.split(":")
        return ScaledClock(int(real), int(scaled), float(speed)), float(speed)
    except ValueError as error:
        raise ValueError("NABD_CLOCK: expected REAL:SCALED:SPEED; only `nabd demo` sets it") from error
