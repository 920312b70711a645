"""The map of a town, without a list of all its devices."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from alerts.overview import device_map as maps
from alerts.overview.device_map import FEW, WORLD, Bounds
from alerts.overview.standing import DeviceFilter
from alerts.transition import Severity
from api.context import UsesContext, UsesIdentity, UsesLongConnection
from api.http.problems import Problem
from api.http.times import Asked
from api.schemas.searches import Words, words_of
from people.roles import Permission

router = APIRouter(tags=["devices"])

Town = Annotated[str | None, Query(max_length=32)]
District = Annotated[str | None, Query(max_length=64, description="code of a district")]
Status = Annotated[
    str, Field(examples=["major"], description="the worst of its open alerts, silent, ok, none")
]
ByStatus = Annotated[dict[str, int], Field(examples=[{"major": 1, "ok": 40}])]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class BoundsOut(_Out):
    """A rectangle in degrees."""

    west: float
    south: float
    east: float
    north: float


class MapDeviceOut(_Out):
    """One device on the map; moving kinds stand where they last said they were."""

    name: str = Field(examples=["bin-0007"])
    title: str
    titles: dict[str, str] = Field(description="by language, where it is called otherwise there")
    kind: str = Field(examples=["bin"])
    lat: float
    lon: float
    status: Status


class MapCellOut(_Out):
    """Devices close to each other: the middle of them, how many, and the worst."""

    lat: float
    lon: float
    count: int
    status: Status
    by_status: ByStatus


class DeviceMapOut(_Out):
    """Devices of the part of the map that is seen, or cells of many."""

    count: int = Field(description="devices in the rectangle")
    by_status: ByStatus
    bounds: BoundsOut | None = Field(description="without `bbox`: where the middle 98 % of the devices stand")
    devices: list[MapDeviceOut] = Field(description=f"one by one where they are at most {FEW}")
    cells: list[MapCellOut] = Field(description="else in groups")


@router.get("/map", summary="Devices on a map: one by one, or in groups where they are many")
async def get_map(
    context: UsesContext,
    connection: UsesLongConnection,
    identity: UsesIdentity,
    bbox: Annotated[
        str | None,
        Query(max_length=120, examples=["35.80,34.40,35.90,34.47"], description="west,south,east,north"),
    ] = None,
    zoom: Annotated[float, Query(ge=0, le=24, description="of the map; decides how wide groups are")] = 12,
    municipality: Town = None,
    district: District = None,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    severity: Annotated[Severity | None, Query(description="with an open alert of it")] = None,
    rule: Annotated[str | None, Query(max_length=64, description="with an open alert of it")] = None,
    words: Words = None,
    at: Annotated[Asked | None, Query(description="as it was then; left out: now")] = None,
) -> DeviceMapOut:
    """Return what stands in the rectangle, of the municipalities that the reader may see."""
    asked = DeviceFilter(
        within=identity.towns(Permission.READ),
        municipality=municipality,
        district=district,
        kinds=(kind,) if kind else (),
        severity=severity,
        rule=rule,
        words=words_of(words, context.kinds),
        at=at,
    )
    within = None if bbox is None else bounds_of(bbox)
    found = await maps.device_map(connection, context.kinds, asked, within=within, zoom=zoom)
    return DeviceMapOut.model_validate(found)


def bounds_of(text: str) -> Bounds:
    """Return the rectangle that is asked for, no larger than the world.

    Raises:
        Problem: 422, these are not four numbers, or not a rectangle.
    """
    try:
        west, south, east, north = (float(one) for one in text.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    finite = all(map(math.isfinite, (west, south, east, north)))
    if not (finite and west <= east and south <= north):
        raise Problem(422, "invalid", "bbox is west,south,east,north in degrees")
    return Bounds(
        west=max(west, WORLD.west),
        south=max(south, WORLD.south),
        east=min(east, WORLD.east),
        north=min(north, WORLD.north),
    )
