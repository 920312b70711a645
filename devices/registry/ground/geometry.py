"""Whether the geometry of a district or a street can be meant, and what would mend it. Pure.

A geometry is GeoJSON (RFC 7946): degrees, longitude first. Must not know files or the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from devices.distance import distance_m
from devices.polygons import Position, Rings, check_polygon, to_geometry
from devices.registry.errors import Invalid
from devices.registry.ground.feature import Layer
from devices.registry.placement import FARTHEST_KM, check_near
from devices.registry.registry import Municipality

Line = Annotated[list[Position], msgspec.Meta(min_length=2)]

AREAS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")
TAKEN: Mapping[Layer, tuple[str, ...]] = {
    Layer.DISTRICTS: AREAS,
    # A square or a pedestrian zone is a street that is drawn as an area.
    Layer.STREETS: (*LINES, *AREAS),
}
COORDINATES: Mapping[str, Any] = {
    "Polygon": Rings,
    "MultiPolygon": Annotated[list[Rings], msgspec.Meta(min_length=1)],
    "LineString": Line,
    "MultiLineString": Annotated[list[Line], msgspec.Meta(min_length=1)],
}
DIGITS = 7
"""Decimals of a degree that are kept: 1 cm."""
CONVERT = "convert the file to WGS 84, for example `ogr2ogr -t_srs EPSG:4326 out.geojson in.geojson`"

Shape = shapely.Polygon | shapely.MultiPolygon | shapely.MultiLineString


def checked(value: object, layer: Layer, municipality: Municipality) -> dict[str, Any]:
    """Return a geometry as it is stored: known members only, no altitudes, to 1 cm.

    Raises:
        Invalid: field `geometry`, or `geometry/type` and the like; the text says how to mend it.
    """
    kind, coordinates = _typed(value, layer)
    positions = _positions(coordinates)
    _check_degrees(positions)
    _check_extent(positions)
    _check_in(positions, municipality)
    found = {"type": kind, "coordinates": _rounded(coordinates)}
    if kind in AREAS:
        try:
            check_polygon(found)
        except ValueError as error:
            parts = "; parts that touch along a border are one part" if kind == "MultiPolygon" else ""
            raise Invalid("geometry", f"{error}{parts}") from None
    elif shapely.length(shape_of(found)) == 0:
        raise Invalid("geometry", f"all its positions are {_said(positions[0])}: draw where the street goes")
    return found


def shape_of(geometry: Mapping[str, Any]) -> Shape:
    """Return the shapely geometry of a checked one."""
    match geometry["type"]:
        case "LineString":
            return shapely.MultiLineString([geometry["coordinates"]])
        case "MultiLineString":
            return shapely.MultiLineString(geometry["coordinates"])
        case _:
            return to_geometry(geometry)


def _typed(value: object, layer: Layer) -> tuple[str, Any]:
    """Return type and coordinates, of the right nesting.

    Raises:
        Invalid: see `checked`.
    """
    *others, last = TAKEN[layer]
    wanted = f"{', '.join(others)} or {last}"
    if not isinstance(value, Mapping):
        raise Invalid("geometry", f"it has none: draw a {wanted}, or take the feature out of the file")
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in TAKEN[layer]:
        what = kind if isinstance(kind, str) else "geometry without a type"
        raise Invalid("geometry/type", f"{what}: a {layer.one} is a {wanted}{_hint(kind, layer)}")
    try:
        return kind, msgspec.convert(value.get("coordinates"), COORDINATES[kind])
    except msgspec.ValidationError as error:
        raise Invalid("geometry/coordinates", f"not those of a {kind}: {error}") from None


def _hint(kind: object, layer: Layer) -> str:
    match kind:
        case "LineString" | "MultiLineString" if layer is Layer.DISTRICTS:
            return "; close the line and save it as an area, or is this the file of streets?"
        case "Point" | "MultiPoint":
            return "; leave points out of the file"
        case "GeometryCollection":
            return "; keep its parts of that type"
        case _:
            return ""


def _positions(coordinates: Any) -> NDArray[np.float64]:
    """Return every position as a row (longitude, latitude)."""
    found: list[Sequence[float]] = []
    waiting = [coordinates]
    while waiting:
        part = waiting.pop()
        if isinstance(part[0], float):
            found.append(part[:2])
        else:
            waiting += reversed(part)
    return np.array(found, dtype=np.float64)


def _rounded(coordinates: Any) -> Any:
    if isinstance(coordinates[0], float):
        return [round(coordinates[0], DIGITS), round(coordinates[1], DIGITS)]
    return [_rounded(part) for part in coordinates]


def _said(position: NDArray[np.float64]) -> str:
    return f"[{position[0]:.10g}, {position[1]:.10g}]"


def _check_degrees(positions: NDArray[np.float64]) -> None:
    wrong = (np.abs(positions[:, 0]) > 180) | (np.abs(positions[:, 1]) > 90) | ~np.isfinite(positions).all(1)
    if not wrong.any():
        return
    first = positions[wrong][0]
    said = f"{_said(first)} is no position in degrees"
    if np.abs(positions).max() > 360:
        raise Invalid("geometry", f"{said}, metres of a map projection? {CONVERT}")
    if abs(first[0]) <= 90 and abs(first[1]) <= 180:
        raise Invalid("geometry", f"{said}: latitude first? GeoJSON is longitude first, then latitude")
    raise Invalid("geometry", f"{said}: longitude -180 to 180, then latitude -90 to 90")


def _check_extent(positions: NDArray[np.float64]) -> None:
    west, south = positions.min(axis=0)
    east, north = positions.max(axis=0)
    if east - west > 180:
        raise Invalid(
            "geometry",
            f"it spans {east - west:.0f}° of longitude, from {west:g} to {east:g}: what crosses the 180°"
            " meridian is cut there into two parts (RFC 7946, 3.1.9); or else a longitude has a wrong sign",
        )
    across_km = float(distance_m(south, west, north, east)) / 1000
    if across_km > 2 * FARTHEST_KM:
        raise Invalid(
            "geometry",
            f"it reaches over {across_km:,.0f} km, from {_said(positions.min(axis=0))} to"
            f" {_said(positions.max(axis=0))}, {2 * FARTHEST_KM} km are allowed: one position is far off",
        )


def _check_in(positions: NDArray[np.float64], municipality: Municipality) -> None:
    """Refuse what lies too far from its municipality, told by its farthest position."""
    if municipality.lat is None or municipality.lon is None:
        return
    away = distance_m(positions[:, 1], positions[:, 0], municipality.lat, municipality.lon)
    lon, lat = positions[int(np.argmax(away))]
    try:
        check_near(float(lat), float(lon), {}, municipality)
    except Invalid as problem:
        first = "; GeoJSON is longitude first, then latitude" if "swapped" in problem.message else ""
        raise Invalid("geometry", f"latitude, longitude {problem.message}{first}") from None
