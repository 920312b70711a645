"""Where a device is, as other systems want to know it: where it says that it is, else where it was put."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.overview.now import DeviceNow
from devices.kinds.kind import Kind
from readings.history import suspect

LAT, LON = "lat", "lon"
POSITION = (LAT, LON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in degrees; observed_at: when the device said so, None where it was entered."""

    lat: float
    lon: float
    observed_at: datetime | None = None

    @property
    def point(self) -> dict[str, Any]:
        """The place as GeoJSON."""
        return {"type": "Point", "coordinates": [self.lon, self.lat]}


def position_of(kind: Kind | None, device: DeviceNow) -> Position | None:
    """Return where a device is, None where nobody knows."""
    marked = suspect(kind, device.quality) if kind else ()
    lat, lon = (device.measurements.get(name) for name in POSITION)
    if isinstance(lat, int | float) and isinstance(lon, int | float) and not {LAT, LON} & set(marked):
        return Position(lat=lat, lon=lon, observed_at=device.observed_at)
    if device.lat is None or device.lon is None:
        return None
    return Position(lat=device.lat, lon=device.lon)
