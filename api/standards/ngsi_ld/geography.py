"""Geoqueries of NGSI-LD (ETSI GS CIM 009, 4.10): which places are near, within, or not. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from devices.distance import distance_m

PlaceCondition = Callable[[Mapping[str, Any]], bool]
"""Tells of a GeoJSON point whether it fits."""

GEOMETRIES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")
MOST_CORNERS = 2000
_NEAR = re.compile(r"near;(maxDistance|minDistance)==(\d{1,9}(?:\.\d{1,6})?)")
_RELATIONS: Mapping[str, Callable[[BaseGeometry, BaseGeometry], bool]] = {
    "within": lambda place, area: bool(area.covers(place)),
    "intersects": lambda place, area: bool(area.intersects(place)),
    "disjoint": lambda place, area: bool(area.disjoint(place)),
    "equals": lambda place, area: bool(area.equals(place)),
    "contains": lambda place, area: bool(place.contains(area)),
    "overlaps": lambda place, area: bool(place.overlaps(area)),
}


class BadGeoquery(ValueError):
    """A geoquery that cannot be understood; the text says which part and why."""


def condition(georel: str, geometry: str, coordinates: str) -> PlaceCondition:
    """Return what a geoquery asks of a place.

    Raises:
        BadGeoquery: it cannot be understood.
    """
    asked = _geometry(geometry, coordinates)
    near = _NEAR.fullmatch(georel)
    if near is not None:
        if not isinstance(asked, shapely.Point):
            raise BadGeoquery("georel: near is answered of a Point")
        return _near(asked, near[1] == "maxDistance", float(near[2]))
    relation = _RELATIONS.get(georel)
    if relation is None:
        known = ", ".join(["near;maxDistance==METRES", "near;minDistance==METRES", *_RELATIONS])
        raise BadGeoquery(f"georel: {georel!r} is none of {known}")
    shapely.prepare(asked)
    return lambda place: relation(shapely.Point(place["coordinates"]), asked)


def _near(point: shapely.Point, at_most: bool, metres: float) -> PlaceCondition:
    def is_near(place: Mapping[str, Any]) -> bool:
        lon, lat = place["coordinates"][:2]
        apart = float(np.asarray(distance_m(point.y, point.x, lat, lon)))
        return apart <= metres if at_most else apart >= metres

    return is_near


def _geometry(geometry: str, coordinates: str) -> BaseGeometry:
    if geometry not in GEOMETRIES:
        raise BadGeoquery(f"geometry: {geometry!r} is none of {', '.join(GEOMETRIES)}")
    try:
        numbers = json.loads(coordinates)
    except (ValueError, RecursionError):
        raise BadGeoquery("coordinates: write the coordinates of GeoJSON, such as [35.84,34.44]") from None
    _check(numbers, [MOST_CORNERS], 0)
    try:
        found = shape({"type": geometry, "coordinates": numbers})
    except (ValueError, TypeError, IndexError, AttributeError, shapely.errors.ShapelyError):
        raise BadGeoquery(f"coordinates: are not those of a {geometry}") from None
    if found.is_empty or not found.is_valid:
        raise BadGeoquery(f"coordinates: make no {geometry} whose edges do not cross")
    return found


def _check(part: Any, left: list[int], depth: int) -> None:
    """Refuse what is no list of lists of numbers, or too much of it."""
    if isinstance(part, bool) or not isinstance(part, int | float | list) or depth > 4:
        raise BadGeoquery("coordinates: hold something that is no number")
    if isinstance(part, list):
        left[0] -= 1
        if left[0] < 0:
            raise BadGeoquery(f"coordinates: have more than {MOST_CORNERS} corners")
        for one in part:
            _check(one, left, depth + 1)
    elif not abs(part) <= 1e6:
        raise BadGeoquery("coordinates: are degrees, longitude first")
