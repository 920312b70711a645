"""The functions of a device's own past once more, from all it ever said: no bits, no slots, no scans."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from statistics import median
from typing import Any

from tests.unit.rules.readings import MINUTE

DAY = 1440 * MINUTE


class Past:
    """What one rule knows of one device when it looks at one reading; `kept` is what it remembers."""

    def __init__(
        self, kept: dict[str, Any], values: Mapping[str, Any], at: int, late: bool, max_gap: int
    ) -> None:
        self._kept, self._values, self._at, self._late, self._max_gap = kept, values, at, late, max_gap
        self._told: dict[str, Any] = {}

    def _said(self, key: str, value: Any) -> list[tuple[int, Any, bool]] | None:
        """Note one decided (instant, value, whether silence came before it) and return all of them."""
        if self._late or value is None:
            return None
        history: list[tuple[int, Any, bool]] = self._kept.setdefault(key, [])
        if not history or history[-1][0] != self._at:
            gap = not history or self._at - history[-1][0] > self._max_gap
            history.append((self._at, value, gap))
        return history

    def __call__(self, name: str) -> tuple[float, float] | None:
        """Return the last decided value of a measurement and the minutes since."""
        history = self._said(name, self._values.get(name))
        if history is None or history[-1][2]:
            return None
        at, value, _ = history[-2]
        return value, (self._at - at) / MINUTE

    def last(self, key: str, value: float | None) -> float | None:
        """Return the newest value that was ever told under a key, this one included."""
        if self._late:
            return None
        if value is not None:
            self._kept[key] = value
        newest: float | None = self._kept.get(key)
        return newest

    @staticmethod
    def _run(history: list[tuple[int, Any, bool]]) -> list[tuple[int, Any, bool]]:
        """Return what came since the last silence."""
        begin = max(i for i, (_, _, gap) in enumerate(history) if gap)
        return history[begin:]

    def n_of(self, key: str, truth: bool | None, least: int, window: int) -> bool | None:
        history = self._said(key, truth)
        if history is None:
            return None
        seen = self._run(history)[-window:]
        trues = sum(t for _, t, _ in seen)
        return True if trues >= least else False if trues + window - len(seen) < least else None

    def count(self, key: str, truth: bool | None, minutes: float) -> tuple[int, bool] | None:
        """Return how many readings were true, 16 at most, and whether all of the window was seen."""
        history = self._said(key, truth)
        if history is None:
            return None
        trues = sum(t and at > self._at - minutes * MINUTE for at, t, _ in history)
        return min(trues, 16), self._at - self._run(history)[0][0] >= minutes * MINUTE

    def n_within(self, key: str, truth: bool | None, least: int, minutes: float) -> bool | None:
        counted = self.count(key, truth, minutes)
        if counted is None:
            return None
        return True if counted[0] >= least else False if counted[1] else None

    def flat(self, key: str, value: float | None, minutes: float, tolerance: float) -> bool | None:
        history = self._said(key, value)
        if history is None:
            return None
        low = high = start = math.nan
        dark = True
        for at, v, gap in history:
            if gap or max(high, v) - min(low, v) > tolerance:
                low, high, start, dark = v, v, at, gap
            low, high = min(low, v), max(high, v)
        return True if self._at - start >= minutes * MINUTE else None if dark else False

    def _means(self, key: str, value: float | None, slot: int, picky: bool) -> dict[int, float] | None:
        """Return the means of the seven slots before this reading's by their number; learn the value."""
        if self._late or value is None:
            return None
        if key in self._told:
            found: dict[int, float] = self._told[key]
            return found
        slots: dict[int, list[float]] = self._kept.setdefault(key, {})
        number = self._at // slot
        means = {n: sum(v) / len(v) for n, v in slots.items() if number - 8 < n < number and v}
        normal = median(means.values()) if len(means) >= 3 else None
        if not picky or normal is None or abs(value - normal) <= 0.1 * abs(normal):
            slots.setdefault(number, []).append(value)
        self._told[key] = means
        return means

    def baseline(self, key: str, value: float | None, slot: int) -> float | None:
        means = self._means(key, value, slot, True)
        return median(means.values()) if means is not None and len(means) >= 3 else None

    def trend(self, key: str, value: float | None, slot: int) -> float | None:
        means = self._means(key, value, slot, False)
        if means is None or len(means) < 3:
            return None
        pairs = combinations(sorted(means.items()), 2)
        return median((late - early) / (b - a) * DAY / slot for (a, early), (b, late) in pairs)
