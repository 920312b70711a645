"""Readings as a test writes them down, and as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from devices.columns import MISSING, Columns, empty_values
from devices.kinds.kind import Cycle, Kind, Measurement, Reporting, ValueType

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_790_002_800_000_000
"""2026-09-21T15:00:00Z."""

METER = Kind(
    name="meter",
    title={"en": "Meter"},
    headline="load_w",
    measurements=(
        Measurement(name="load_w", bit=8, unit="W", cycle=Cycle(falls_by=20)),
        Measurement(name="energy_kwh", bit=9, unit="kW.h", counter=True, most_per_h=2.0),
        Measurement(name="heading_deg", bit=10, unit="deg", low=0, high=360, circular=True),
        Measurement(name="open", bit=11, type=ValueType.BOOLEAN),
        Measurement(
            name="mode", bit=12, type=ValueType.TEXT, choices=("on", "off"), cycle=Cycle(into=("on",))
        ),
    ),
    reporting=(
        Reporting(state="off", every_s=3600, measurement="mode", one_of=("off",)),
        Reporting(every_s=600),
    ),
)
"""One measurement of every sort."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One reading: device, instant (microseconds), values by name, and which of them are marked."""

    device: int
    at: int
    values: Mapping[str, Any] = field(default_factory=dict)
    marked: tuple[str, ...] = ()


def columns_of(kind: Kind, said: Sequence[Said]) -> Columns:
    """Return readings as columns, in order of device and instant."""
    ordered = sorted(said, key=lambda one: (one.device, one.at))
    n = len(ordered)
    values = empty_values(kind, n)
    quality = np.zeros(n, dtype=np.int64)
    for row, one in enumerate(ordered):
        for name, value in one.values.items():
            values[name][row] = value
        for name in one.marked:
            quality[row] |= 1 << kind.measurement(name).bit
    at = np.array([one.at for one in ordered], dtype=np.int64)
    return Columns(
        kind=kind,
        device_id=np.array([one.device for one in ordered], dtype=np.int32),
        observed_at=at,
        received_at=at,
        quality=quality,
        boot=np.full(n, MISSING),
        seq=np.full(n, MISSING),
        values=values,
        extra=np.full(n, None, dtype=object),
        message=np.zeros(n, dtype=np.int32),
    )
