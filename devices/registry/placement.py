"""Whether a device stands where its municipality is, and its own polygon around its home.

Swapped coordinates and a lost sign are the usual mistakes of a list; where undoing one puts the device into
its municipality, the error says so. Pure: must not know the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MisplacedDevice:
    """A place of a device, or its home's, that is too far from its municipality.

    mended: where the place would be with a usual mistake undone, if that lies in the municipality.
    """

    device: str
    municipality: str
    lat: float
    lon: float
    km: float
    mended: tuple[float, float] | None


def misplaced(registry: Registry) -> list[MisplacedDevice]:
    """Return the devices in service that `check_near` would refuse today, by name."""
    found = []
    for device in registry.devices.values():
        municipality = registry.municipalities[device.municipality]
        home = device.attributes.get(HOME[0]), device.attributes.get(HOME[1])
        for lat, lon in ((device.lat, device.lon), home):
            km = _too_far_km(lat, lon, municipality)
            if device.retired_at is None and lat is not None and lon is not None and km is not None:
                _, mended = _meant(lat, lon, municipality)
                found.append(
                    MisplacedDevice(
                        device=device.name,
                        municipality=municipality.name,
                        lat=lat,
                        lon=lon,
                        km=km,
                        mended=mended,
                    )
                )
                break
    return sorted(found, key=lambda one: one.device)


def _check_near(field: str, lat: float | None, lon: float | None, municipality: Municipality) -> None:
    km = _too_far_km(lat, lon, municipality)
    if lat is None or lon is None or km is None:
        return
    hint = f"or correct the place of {municipality.name}: `nabd municipality edit {municipality.name}`"
    mistake, mended = _meant(lat, lon, municipality)
    if mended is not None:
        hint = f"{mistake}? {mended[0]:g}, {mended[1]:g} lies in {municipality.name}"
    raise Invalid(
        field,
        f"{lat:g}, {lon:g} is {km:,.0f} km from {municipality.name}, {FARTHEST_KM} km are allowed; {hint}",
    )


def _too_far_km(lat: float | None, lon: float | None, municipality: Municipality) -> float | None:
    """Return how far a place is that is too far; None where it is near, or nobody can tell."""
    if lat is None or lon is None or municipality.lat is None or municipality.lon is None:
        return None
    km = _km((lat, lon), (municipality.lat, municipality.lon))
    return km if km > FARTHEST_KM else None


def _meant(lat: float, lon: float, municipality: Municipality) -> tuple[str, tuple[float, float] | None]:
    """Return the mistake that explains a place too far, and the place without it."""
    for mistake, place in _mended(lat, lon):
        if abs(place[0]) <= 90 and _too_far_km(*place, municipality) is None:
            return mistake, place
    return "", None


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
