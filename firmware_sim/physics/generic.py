"""Devices of any declared kind: channels made from the declaration alone.

Pure. What a kind declared in TOML needs to be simulated; knows no kind by name.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from devices.kinds.kind import Kind, Measurement, ValueType
from devices.reporting import expected_interval_s
from firmware_sim.physics.model import REJECTED, SECOND, CommandAnswer, Truth, Value, number, sensed

_DEFAULT_HIGH = 100.0


class GenericDevice:
    """Numbers walk within their physical range, counters climb, texts and booleans change now and then."""

    def __init__(self, kind: Kind, interval_cap_s: float | None, rng: np.random.Generator) -> None:
        self._kind = kind
        self._cap = interval_cap_s
        self._rng = rng
        self._interval: float | None = None
        self._now: int | None = None
        self._values: dict[str, Value] = {m.name: self._first(m) for m in kind.measurements}

    def step(self, now: int) -> bool:
        """Move every channel by as much as the elapsed time allows."""
        dt = 0.0 if self._now is None else (now - self._now) / SECOND
        self._now = now
        for measurement in self._kind.measurements:
            self._values[measurement.name] = self._next(measurement, dt)
        return False

    def measure(self) -> dict[str, Value]:
        """Return every measurement, numbers to three decimals."""
        return dict(self._values)

    def interval_s(self) -> float:
        """Return the declared interval of the present state, or what a command set."""
        if self._interval is not None:
            return self._interval
        values = {name: np.array([value]) for name, value in self._values.items()}
        every_s = float(expected_interval_s(self._kind, values, np.array([np.nan]))[0])
        return min(every_s, self._cap or every_s)

    def tick_s(self) -> float:
        """Any step will do."""
        return self.interval_s()

    def truth(self) -> Mapping[str, Truth]:
        """A declaration says nothing about faults."""
        return {}

    def ready(self, cause: str) -> bool:
        """Nothing can break."""
        return False

    def begin(self, cause: str) -> None:
        """Nothing can break."""

    def end(self, cause: str) -> None:
        """Nothing can break."""

    def command(self, name: str, args: Mapping[str, object]) -> CommandAnswer:
        """Obey set_interval."""
        if name != "set_interval":
            return REJECTED
        every = number(args, "interval_s", 1, 86400)
        if every is None:
            return CommandAnswer(status="failed", detail="interval_s: 1..86400")
        self._interval = every
        return CommandAnswer(status="succeeded")

    def _first(self, m: Measurement) -> Value:
        if m.type is ValueType.TEXT:
            return str(self._rng.choice(m.choices)) if m.choices else m.name
        if m.type is ValueType.BOOLEAN:
            return bool(self._rng.random() < 0.5)
        low, high = _range(m)
        return sensed(low if m.counter else self._rng.uniform(low, high), 3)

    def _next(self, m: Measurement, dt_s: float) -> Value:
        value = self._values[m.name]
        if isinstance(value, bool):
            return value if self._rng.random() > dt_s / 3600.0 else not value
        if not isinstance(value, float):
            return value if self._rng.random() > dt_s / 3600.0 else self._first(m)
        low, high = _range(m)
        if m.counter:
            return value + float(self._rng.poisson(dt_s / 30.0))
        moved = value + self._rng.normal(0.0, 0.02) * (high - low) * min(1.0, (dt_s / 600.0) ** 0.5)
        moved = 2 * low - moved if moved < low else 2 * high - moved if moved > high else moved
        return sensed(min(high, max(low, moved)), 3)


def _range(m: Measurement) -> tuple[float, float]:
    low = 0.0 if m.low is None else m.low
    return low, max(low, _DEFAULT_HIGH) if m.high is None else m.high
