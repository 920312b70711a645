"""Local time, day of the week and sun where devices stand, over whole columns.

Pure. Computed on first use and kept. Must not know rules or readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from devices.instants import to_datetime
from devices.time_zones import zone_named
from rules.context import sun

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_QUARTER_US = 900_000_000


class Places(Protocol):
    """Where m devices stand; see PlaceColumns."""

    @property
    def zone(self) -> NDArray[np.intp]: ...
    @property
    def zones(self) -> tuple[str, ...]: ...
    @property
    def weekend(self) -> Ints: ...
    @property
    def lat(self) -> Floats: ...
    @property
    def lon(self) -> Floats: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceColumns:
    """Where m devices stand, (m,) each.

    zone: index into `zones`. weekend: bits of days, 0 is Monday. lat, lon: degrees, NaN where unknown.
    """

    zone: NDArray[np.intp]
    zones: tuple[str, ...]
    weekend: Ints
    lat: Floats
    lon: Floats

    @classmethod
    def of(
        cls,
        zones: Sequence[str],
        weekends: Sequence[Sequence[int]],
        lat: Sequence[float | None],
        lon: Sequence[float | None],
    ) -> PlaceColumns:
        """Build from time zones, ISO days of the weekend, and degrees."""
        names = tuple(sorted(set(zones)))
        position = {name: i for i, name in enumerate(names)}
        return cls(
            zone=np.array([position[zone] for zone in zones], dtype=np.intp),
            zones=names,
            weekend=np.array([sum(1 << (day - 1) for day in days) for days in weekends], dtype=np.int64),
            lat=np.array(lat, dtype=np.float64),
            lon=np.array(lon, dtype=np.float64),
        )

    def take(self, rows: NDArray[np.intp]) -> PlaceColumns:
        """Return some of the places, in that order."""
        return PlaceColumns(
            zone=self.zone[rows],
            zones=self.zones,
            weekend=self.weekend[rows],
            lat=self.lat[rows],
            lon=self.lon[rows],
        )

    def at(self, instant: int) -> LocalTimes:
        """Return local time at every place at one instant (microseconds)."""
        n = len(self.zone)
        return LocalTimes(np.full(n, instant, dtype=np.int64), self, np.arange(n))


class LocalTimes:
    """n instants, each at one of some places.

    instants: (n,) microseconds since 1970-01-01Z. rows: (n,) which place.
    """

    def __init__(self, instants: Ints, places: Places, rows: NDArray[np.intp]) -> None:
        self._instants = instants
        self._places = places
        self._rows = rows
        self._minutes: Ints | None = None
        self._sun: Floats | None = None

    def __len__(self) -> int:
        return len(self._instants)

    def local_min(self) -> Ints:
        """Return minutes after local midnight, (n,)."""
        return self._local_minutes() % 1440

    def weekend(self) -> Bools:
        """Tell whether it is a weekend day on the local calendar, (n,)."""
        # 1970-01-01 was a Thursday; bit 0 is Monday.
        weekday = (self._local_minutes() // 1440 + 3) % 7
        found: Bools = (self._places.weekend[self._rows] >> weekday) & 1 == 1
        return found

    def sun_deg(self) -> Floats:
        """Return the sun's elevation in degrees, (n,); NaN where the place is not known."""
        if self._sun is None:
            lat, lon = self._places.lat[self._rows], self._places.lon[self._rows]
            self._sun = sun.elevation_deg(self._instants, lat, lon)
        return self._sun

    def _local_minutes(self) -> Ints:
        if self._minutes is None:
            self._minutes = self._count_minutes()
        return self._minutes

    def _count_minutes(self) -> Ints:
        # Offsets change on quarter hours only, so a few look-ups serve a whole batch.
        zones = self._places.zones
        keys = self._instants // _QUARTER_US * len(zones) + self._places.zone[self._rows]
        unique, inverse = np.unique(keys, return_inverse=True)
        offsets = [
            _offset_min(zones[key % len(zones)], key // len(zones) * _QUARTER_US) for key in unique.tolist()
        ]
        return self._instants // 60_000_000 + np.array(offsets, dtype=np.int64)[inverse]


@lru_cache(maxsize=4096)
def _offset_min(zone: str, instant: int) -> int:
    offset = to_datetime(instant).astimezone(UTC).astimezone(zone_named(zone)).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) // 60
