"""What every simulated device can do: be stepped, measured, broken and commanded.

Pure. Must not know MQTT, the wall clock, or how readings travel.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

Value = float | bool | str | None
"""One measurement as a device reports it; None means "not measured"."""

SECOND = 1_000_000
"""Microseconds."""
HOUR_S = 3600.0
DAY_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Whether a fault really holds, and whether it is so near that an alert would be honest already.

    hidden: another fault has blinded the sensor that could see this one; nobody can know of it.
    every_s: how often what shows it is measured, where that is rarer than readings are.
    """

    holds: bool
    near: bool = False
    hidden: bool = False
    every_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswer:
    """How a device answers a command."""

    status: str
    detail: str = ""
    result: Mapping[str, Value] = field(default_factory=dict)


REJECTED = CommandAnswer(status="rejected", detail="unknown command")


class Physics(Protocol):
    """One device in simulated time. Instants are microseconds since 1970-01-01Z."""

    def step(self, now: int) -> bool:
        """Advance to `now`; True when something happened that the device reports at once."""

    def measure(self) -> dict[str, Value]:
        """Return what the sensors say now, sensor errors included."""

    def interval_s(self) -> float:
        """Return the seconds until the next regular report in the present state."""

    def tick_s(self) -> float:
        """Return the longest step the model stays faithful with."""

    def truth(self) -> Mapping[str, Truth]:
        """Return the state of every fault that this device can have, by expected rule id."""

    def ready(self, cause: str) -> bool:
        """Tell whether `cause` could start now."""

    def begin(self, cause: str) -> None:
        """Break something."""

    def end(self, cause: str) -> None:
        """Repair it."""

    def command(self, name: str, args: Mapping[str, object]) -> CommandAnswer:
        """Obey, or answer REJECTED."""


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the random numbers of one named thing; independent of every other name."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def sensed(value: float, decimals: int) -> float:
    """Round to the resolution a device sends; never negative zero."""
    return round(float(value), decimals) + 0.0


def settle(value: float, target: float, dt_s: float, tau_s: float) -> float:
    """Return `value` after `dt_s` of first-order approach to `target`."""
    return target + (value - target) * math.exp(-dt_s / tau_s)


def number(args: Mapping[str, object], name: str, low: float, high: float) -> float | None:
    """Return the numeric argument `name` when it is there and within limits."""
    value = args.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return None
    return float(value)
