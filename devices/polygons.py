"""Polygons as device attributes: GeoJSON in, shapely geometries out. Pure.

A polygon is a GeoJSON Polygon or MultiPolygon (RFC 7946), holes included, coordinates in degrees, longitude
first; altitudes and unknown members are ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import shapely

Position = Annotated[list[float], msgspec.Meta(min_length=2)]
Ring = Annotated[list[Position], msgspec.Meta(min_length=4)]
Rings = Annotated[list[Ring], msgspec.Meta(min_length=1)]


class _Polygon(msgspec.Struct, tag_field="type", tag="Polygon"):
    coordinates: Rings


class _MultiPolygon(msgspec.Struct, tag_field="type", tag="MultiPolygon"):
    coordinates: Annotated[list[Rings], msgspec.Meta(min_length=1)]


EXAMPLE = '{"type": "Polygon", "coordinates": [[[lon, lat], …]]}'
_FIXES = {
    "Self-intersection": "edges cross or overlap at {}: list the corners in their order around the area",
    "Ring Self-intersection": "a ring touches itself at {}: leave that corner out, or make two polygons",
    "Hole lies outside shell": "the hole at {} lies outside the first ring: make it a polygon of its own",
    "Holes are nested": "the hole at {} lies in another hole: leave it out",
    "Interior is disconnected": "holes divide the area at {}: make two polygons",
    "Nested shells": "the polygon at {} lies in another one: leave it out",
    "Too few points in geometry component": "the ring at {} has fewer than three different corners: add some",
}
"""What to do about each reason for which GEOS calls a geometry invalid; {} is a position."""


class PolygonError(ValueError):
    """A value is not a polygon; the text says where and how to mend it."""


def to_geometry(value: object) -> shapely.Polygon | shapely.MultiPolygon:
    """Return the geometry of a GeoJSON object, which may cross itself.

    Raises:
        PolygonError: it is neither a Polygon nor a MultiPolygon.
    """
    polygons = [
        shapely.Polygon(_points(rings[0]), [_points(hole) for hole in rings[1:]])
        for rings in _polygons(value)
    ]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def check_polygon(value: object) -> None:
    """Refuse a polygon whose positions are not on Earth, or that does not bound one area.

    Raises:
        PolygonError: see above.
    """
    for rings in _polygons(value):
        for ring in rings:
            _check_ring(ring)
    reason = shapely.is_valid_reason(to_geometry(value))
    if reason != "Valid Geometry":
        what, _, where = reason.rstrip("]").partition("[")
        raise PolygonError(_FIXES.get(what, what + " at {}").format(f"[{', '.join(where.split())}]"))


def _polygons(value: object) -> Sequence[Sequence[Sequence[Sequence[float]]]]:
    """Return the rings of every polygon, of each ring its positions."""
    try:
        found = msgspec.convert(value, _Polygon | _MultiPolygon)
    except msgspec.ValidationError as error:
        raise PolygonError(f"not a GeoJSON Polygon or MultiPolygon: {error}; write {EXAMPLE}") from None
    return [found.coordinates] if isinstance(found, _Polygon) else found.coordinates


def _points(ring: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    return [(position[0], position[1]) for position in ring]


def _check_ring(ring: Sequence[Sequence[float]]) -> None:
    for position in ring:
        if not (-180 <= position[0] <= 180 and -90 <= position[1] <= 90):
            raise PolygonError(f"{position} is no position: longitude -180 to 180, then latitude -90 to 90")
    if ring[0] != ring[-1]:
        raise PolygonError(
            f"a ring ends at {ring[-1]}, not where it begins: add {ring[0]} as its last position"
        )
