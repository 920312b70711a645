"""Published values as rows of a table and as GeoJSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from alerts.overview.now import DeviceNow
from api.http import files
from api.http.parquet import CellType, FileColumn
from devices.instants import rfc3339
from devices.kinds.kind import Kind
from readings.history import suspect

GEOJSON = "application/geo+json"


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


def features_of(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as GeoJSON features; the geometry of one without a place is null."""
    return [
        {
            "type": "Feature",
            "id": row["device"],
            "geometry": _point(row["lat"], row["lon"]),
            "properties": {
                name: rfc3339(value) if name == "observed_at" and value else value
                for name, value in row.items()
                if name not in ("lat", "lon")
            },
        }
        for row in rows
    ]


def _point(lat: float | None, lon: float | None) -> dict[str, Any] | None:
    return None if lat is None or lon is None else {"type": "Point", "coordinates": [lon, lat]}
