"""What devices say of the ground, as GeoJSON: their areas, and lines through what hangs on one circuit."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.routes.device.overview import bounds_of
from api.routes.layers import GEOJSON
from devices.registry.ground import areas
from people.roles import Permission

router = APIRouter(tags=["devices"])

EXAMPLE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {
                "device": "CIR-1",
                "title": "Circuit 1",
                "titles": {},
                "kind": "circuit",
                "attribute": None,
            },
            "geometry": {"type": "LineString", "coordinates": [[35.84, 34.44], [35.85, 34.44]]},
        }
    ],
}


@router.get(
    "/map/areas",
    response_class=Response,
    responses={200: {"description": "a FeatureCollection", "content": {GEOJSON: {"example": EXAMPLE}}}},
    summary="Zones and circuits of the devices in a part of the map",
)
async def get_map_areas(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    bbox: Annotated[
        str, Query(max_length=120, examples=["35.80,34.40,35.90,34.47"], description="west,south,east,north")
    ],
) -> Response:
    """Return areas among attributes of devices that stand there, and a line through those of each circuit."""
    box = bounds_of(bbox)
    corners = (box.west, box.south, box.east, box.north)
    found = await areas.areas(connection, context.kinds, identity.towns(Permission.READ), corners)
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "properties": {
                "device": one.device,
                "title": one.title,
                "titles": one.titles,
                "kind": one.kind,
                "attribute": one.attribute,
            },
            "geometry": one.geometry,
        }
        for one in found
    ]
    body = msgspec.json.encode({"type": "FeatureCollection", "features": features})
    return pages.tagged(request, body, GEOJSON)
