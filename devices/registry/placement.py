"""Whether a device stands where its municipality is, and its own polygon around its home.

Swapped coordinates and a lost sign are the usual mistakes of a list; where undoing one puts the device into
its municipality, the error says so. Pure: must not know the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import shapely

from devices.distance import distance_m
from devices.kinds.kind import AttributeType, Kind
from devices.polygons import to_geometry
from devices.registry.errors import Invalid
from devices.registry.registry import Municipality, Registry

FARTHEST_KM = 100
"""How far from the middle of its municipality a device may stand; few municipalities reach beyond 60 km."""

HOME = ("home_lat", "home_lon")
"""The attributes of a device that moves and has a place to return to."""


EDGE_DEG = 0.0002
"""A home so near the edge of a polygon, about 20 m, is taken to lie in it."""


def check_near(
    lat: float | None, lon: float | None, attributes: Mapping[str, Any], municipality: Municipality
) -> None:
    """Refuse a place or a home too far from the municipality; one that has no coordinates takes any.

    Raises:
        Invalid: field `lat` or `attributes.home_lat`.
    """
    _check_near("lat", lat, lon, municipality)
    _check_near("attributes.home_lat", attributes.get(HOME[0]), attributes.get(HOME[1]), municipality)


def misplaced(registry: Registry) -> list[tuple[str, Invalid]]:
    """Return the devices in service that `check_near` would refuse today, by name, with what is wrong."""
    found = []
    for device in registry.devices.values():
        if device.retired_at is None:
            try:
                check_near(
                    device.lat,
                    device.lon,
                    device.attributes,
                    registry.municipalities[device.municipality],
                )
            except Invalid as problem:
                found.append((device.name, problem))
    return sorted(found, key=lambda one: one[0])


def _check_near(field: str, lat: float | None, lon: float | None, municipality: Municipality) -> None:
    if lat is None or lon is None or municipality.lat is None or municipality.lon is None:
        return
    middle = municipality.lat, municipality.lon
    if (km := _km((lat, lon), middle)) <= FARTHEST_KM:
        return
    hint = f"or correct the place of {municipality.name}: `nabd municipality edit {municipality.name}`"
    for mistake, (other_lat, other_lon) in _mended(lat, lon):
        if abs(other_lat) <= 90 and _km((other_lat, other_lon), middle) <= FARTHEST_KM:
            hint = f"{mistake}? {other_lat:g}, {other_lon:g} lies in {municipality.name}"
            break
    raise Invalid(
        field,
        f"{lat:g}, {lon:g} is {km:,.0f} km from {municipality.name}, {FARTHEST_KM} km are allowed; {hint}",
    )


def _km(place: tuple[float, float], middle: tuple[float, float]) -> float:
    return float(distance_m(*place, *middle)) / 1000


def _mended(lat: float, lon: float) -> Iterator[tuple[str, tuple[float, float]]]:
    yield "swapped", (lon, lat)
    yield "a lost sign", (-lat, lon)
    yield "a lost sign", (lat, -lon)
    yield "lost signs", (-lat, -lon)
    yield "swapped, with a lost sign", (-lon, lat)
    yield "swapped, with a lost sign", (lon, -lat)


def check_around_home(kind: Kind | None, attributes: Mapping[str, Any]) -> None:
    """Refuse a polygon that is to hold the home and does not, or would with its coordinates swapped.

    The polygons are valid by themselves (devices.polygons.check_polygon).

    Raises:
        Invalid: the polygon's field.
    """
    lat, lon = (attributes.get(name) for name in HOME)
    if kind is None or lat is None or lon is None:
        return
    for attribute in kind.attributes:
        value = attributes.get(attribute.name)
        if attribute.type is not AttributeType.POLYGON or value is None:
            continue
        geometry = to_geometry(value)
        if geometry.distance(shapely.Point(lon, lat)) <= EDGE_DEG:
            continue
        swapped = shapely.intersects_xy(geometry, lat, lon)
        if swapped or attribute.holds_home:
            fix = "a position is longitude first, then latitude" if swapped else "draw it around the home"
            raise Invalid(
                f"attributes.{attribute.name}",
                f"home ({lat:g}, {lon:g} in home_lat, home_lon) lies outside: {fix}",
            )
