"""What simulated devices measure for up to a year: their physics as columns, made once and cached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.columns import MISSING, Columns
from devices.kinds.kind import Kind, ValueType
from firmware_sim.physics.model import SECOND, Physics, Value
from firmware_sim.specs import SimulatedDevice

Life = dict[str, NDArray[Any]]
"""`at` (microseconds) and every measurement, (n,): NaN or "" where it was not measured."""


def life_of(device: SimulatedDevice, kind: Kind, start: int, days: int, cache: Path) -> Life:
    """Return what a device measures in so many days."""
    file = cache / f"{device.name}-{start}-{days}.npz"
    if not file.exists():
        assert device.physics is not None
        cache.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial.npz")
        np.savez_compressed(partial, **_lived(device.physics(), kind, start, start + days * 86_400 * SECOND))  # type: ignore[arg-type]
        partial.rename(file)
    with np.load(file) as stored:
        return dict(stored)


def _lived(physics: Physics, kind: Kind, start: int, end: int) -> Life:
    at: list[int] = []
    said: list[dict[str, Value]] = []
    now = report_at = start
    while now < end:
        if physics.step(now) or now >= report_at:
            at.append(now)
            said.append(physics.measure())
            report_at = now + round(physics.interval_s() * SECOND)
        now = min(now + round(physics.tick_s() * SECOND), max(report_at, now + SECOND))
    found: Life = {"at": np.array(at, dtype=np.int64)}
    for m in kind.measurements:
        values = [one.get(m.name) for one in said]
        if m.type is ValueType.TEXT:
            found[m.name] = np.array(["" if value is None else str(value) for value in values])
        else:
            found[m.name] = np.array(values, dtype=np.float64)
    return found


def columns_of(kind: Kind, life: Life, device_id: int, later_us: int) -> Columns:
    """Return a life as the readings of one device, each so much later."""
    at = life["at"] + later_us
    n = len(at)
    values: dict[str, NDArray[Any]] = {}
    for m in kind.measurements:
        said = life[m.name]
        values[m.name] = (
            np.array([word or None for word in said.tolist()], dtype=object)
            if m.type is ValueType.TEXT
            else said
        )
    return Columns(
        kind=kind,
        device_id=np.full(n, device_id, dtype=np.int32),
        observed_at=at,
        received_at=at,
        quality=np.zeros(n, dtype=np.int64),
        boot=np.full(n, MISSING),
        seq=np.arange(n, dtype=np.int64),
        values=values,
        extra=np.full(n, None, dtype=object),
        message=np.zeros(n, dtype=np.int32),
    )
