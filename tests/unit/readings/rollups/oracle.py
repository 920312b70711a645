"""What an hour holds, said once more: row by row, as somebody would by hand."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from devices.kinds.kind import Cycle, Kind, Measurement, ValueType
from tests.unit.readings.rollups.streams import HOUR, SECOND, Said


def hours(kind: Kind, said: Sequence[Said]) -> dict[tuple[int, int], dict[str, Any]]:
    """Return hours by device and hour since 1970; only of those with something known."""
    found: dict[tuple[int, int], dict[str, Any]] = defaultdict(dict)
    for device in {one.device for one in said}:
        mine = sorted((one for one in said if one.device == device), key=lambda one: one.at)
        known: dict[int, float] = defaultdict(float)
        expected: dict[int, float] = defaultdict(float)
        for hour, one, seconds in _held(kind, mine):
            known[hour] += seconds
            expected[hour] += seconds / _interval(one)
        for hour in {one.at // HOUR for one in mine} | set(known):
            found[device, hour] = {
                "readings": sum(one.at // HOUR == hour for one in mine),
                "expected": expected[hour] + (3600 - known[hour]) / 3600,
            }
            for m in kind.measurements:
                good = [one for one in mine if m.name in one.values and m.name not in one.marked]
                here = [one for one in good if one.at // HOUR == hour]
                marked = [
                    o for o in mine if m.name in o.values and m.name in o.marked and o.at // HOUR == hour
                ]
                parts = {
                    "count": len(here),
                    "suspect": len(marked),
                    "last": here[-1].values[m.name] if here else None,
                } | _summary(m, kind, good, here, hour)
                if m.cycle is not None:
                    parts["cycles"] = _cycles(m, m.cycle, good, hour)
                found[device, hour] |= {f"{m.name}_{part}": value for part, value in parts.items()}
    return dict(found)


def _interval(one: Said) -> float:
    return 3600.0 if one.values.get("mode") == "off" else 600.0


def _held(kind: Kind, good: Sequence[Said]) -> list[tuple[int, Said, float]]:
    """Return (hour, who said it, seconds): until the next, if it comes within two and a half intervals."""
    pieces = []
    for one, following in pairwise(good):
        longest = min(max(2.5 * _interval(one), 300), 90_000)
        at, end = one.at, following.at
        if end - at > longest * SECOND:
            continue
        while at < end:
            edge = min((at // HOUR + 1) * HOUR, end)
            pieces.append((at // HOUR, one, (edge - at) / SECOND))
            at = edge
    return pieces


def _summary(
    m: Measurement, kind: Kind, good: Sequence[Said], here: Sequence[Said], hour: int
) -> dict[str, Any]:
    values = [one.values[m.name] for one in here]
    held = [(one.values[m.name], s) for at, one, s in _held(kind, good) if at == hour]
    covered = sum(s for _, s in held) or None
    if m.type is ValueType.TEXT:
        seconds: dict[str, float] = defaultdict(float)
        for word, s in held:
            seconds[word] += s
        return {"seconds": dict(seconds) or None, "covered": covered}
    if m.type is ValueType.BOOLEAN:
        on = sum(s for value, s in held if value) if held else None
        return {"true": sum(map(bool, values)), "seconds": on, "covered": covered}
    if m.circular:
        return {
            "sin": sum(math.sin(math.radians(v)) for v in values) if values else None,
            "cos": sum(math.cos(math.radians(v)) for v in values) if values else None,
        }
    parts = {
        "min": min(values, default=None),
        "max": max(values, default=None),
        "sum": sum(values) if values else None,
    }
    if m.counter:
        return parts | {"grown": _grown(m, good, hour)}
    return parts | {"area": sum(v * s for v, s in held) if held else None, "covered": covered}


def _cycles(m: Measurement, cycle: Cycle, good: Sequence[Said], hour: int) -> int:
    begun = 0
    for before, one in pairwise(good):
        old, new = before.values[m.name], one.values[m.name]
        fell = cycle.falls_by is not None and old - new >= cycle.falls_by
        began = new in cycle.into and old not in cycle.into
        begun += (fell or began) and one.at // HOUR == hour
    return begun


def _grown(m: Measurement, good: Sequence[Said], hour: int) -> float | None:
    steps = []
    for before, one in pairwise(good):
        if one.at // HOUR != hour:
            continue
        old, new = before.values[m.name], one.values[m.name]
        elapsed_h = (one.at - before.at) / HOUR
        assert m.most_per_h is not None
        if new >= old:
            steps.append(new - old)
        elif new <= m.most_per_h * (elapsed_h + 1):
            steps.append(new)
    return sum(steps) if steps else None
