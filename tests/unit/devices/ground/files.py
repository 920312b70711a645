"""Files of layers as people export them, for tests without a database."""

from __future__ import annotations

import json
from typing import Any

from devices.registry.registry import Municipality

TRIPOLI = Municipality(
    id=1,
    name="tripoli",
    title={},
    time_zone="Asia/Beirut",
    locale="ar-LB",
    weekend=(6, 7),
    lat=34.4367,
    lon=35.8497,
    register_unknown=False,
)


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """A polygon along meridians and parallels."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


WEST = box(35.82, 34.42, 35.85, 34.45)
EAST = box(35.85, 34.42, 35.88, 34.45)
STREET = {"type": "LineString", "coordinates": [[35.84, 34.43], [35.86, 34.44]]}


def feature(geometry: object, **properties: Any) -> dict[str, Any]:
    """A feature; properties with a colon in their name are written with two underscores."""
    named = {name.replace("__", ":"): value for name, value in properties.items()}
    return {"type": "Feature", "properties": named, "geometry": geometry}


def file(*features: Any, **members: Any) -> bytes:
    """A FeatureCollection as bytes."""
    return json.dumps({"type": "FeatureCollection", "features": features, **members}).encode()
