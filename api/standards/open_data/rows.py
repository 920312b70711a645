"""Published values as rows of a table. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alerts.overview.now import DeviceNow
from api.http import files
from api.http.parquet import CellType, FileColumn
from devices.kinds.kind import Kind
from readings.history import suspect


def columns_of(kind: Kind) -> tuple[FileColumn, ...]:
    """Return the columns of the table of a kind."""
    return (
        FileColumn(name="device"),
        FileColumn(name="district"),
        FileColumn(name="lat", type=CellType.NUMBER, unit="deg"),
        FileColumn(name="lon", type=CellType.NUMBER, unit="deg"),
        FileColumn(name="observed_at", type=CellType.TIME),
        *files.measured(kind, kind.public),
    )


def row_of(kind: Kind, device: DeviceNow) -> dict[str, Any]:
    """Return what is public of a device: where it was put, and its newest values that are believed."""
    marked = suspect(kind, device.quality)
    return {
        "device": device.name,
        "district": device.district.get("en"),
        "lat": device.lat,
        "lon": device.lon,
        "observed_at": device.observed_at,
        **{name: device.measurements.get(name) if name not in marked else None for name in kind.public},
    }


def rows_of(kind: Kind, devices: Iterable[DeviceNow]) -> list[dict[str, Any]]:
    """Return the rows of devices."""
    return [row_of(kind, device) for device in devices]
