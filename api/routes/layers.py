"""Districts and streets of municipalities, as GeoJSON."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.author import UsesActor
from api.context import UsesConnection, UsesContext
from api.http import pages
from api.http.problems import Problem
from api.http.times import Instant
from devices.registry.ground import geojson, layers
from devices.registry.ground.feature import Layer

router = APIRouter(tags=["municipalities"])

Owner = Annotated[str, Path(max_length=32, examples=["tripoli"])]

GEOJSON = "application/geo+json"
EXAMPLE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {
                "code": "al-mina",
                "name:en": "Al-Mina",
                "name:fr": "El-Mina",
                "name:ar": "الميناء",
            },
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[35.82, 34.44], [35.84, 34.44], [35.84, 34.46], [35.82, 34.46], [35.82, 34.44]]
                ],
            },
        }
    ],
}
SCHEMA: dict[str, Any] = {"schema": {"type": "object"}, "example": EXAMPLE}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "a FeatureCollection (RFC 7946), at most 8 MiB",
        "content": {GEOJSON: SCHEMA, "application/json": SCHEMA},
    }
}


class LayerOut(BaseModel):
    """One layer of a municipality."""

    layer: Layer
    features: int
    devices: int = Field(description="in service, that stand in one of them")
    updated_at: Instant


MOST_LISTED = 100
"""So many problems of a layer are listed in an answer; of the others, how many there are."""


class LayerPutOut(BaseModel):
    """What putting a layer changed; counts of features, and of devices elsewhere now."""

    written: bool = Field(description="false where `dry_run` only asked")
    added: int
    changed: int
    unchanged: int
    removed: int
    devices: int


@router.get(
    "/municipalities/{municipality}/layers",
    response_model=dict[str, list[LayerOut]],
    summary="List the layers of a municipality",
)
async def list_layers(request: Request, municipality: Owner, connection: UsesConnection) -> Response:
    """Return the layers that were imported, as `{"items": [...]}`."""
    found = await layers.list_layers(connection, municipality)
    items = [
        LayerOut(
            layer=Layer(one.layer), features=one.features, devices=one.devices, updated_at=one.updated_at
        ).model_dump(mode="json")
        for one in found
    ]
    return pages.tagged(request, msgspec.json.encode({"items": items}))


@router.get(
    "/municipalities/{municipality}/layers/{layer}",
    responses={200: {"description": "a FeatureCollection", "content": {GEOJSON: SCHEMA}}},
    response_class=Response,
    summary="List the districts or streets of a municipality as GeoJSON",
)
async def get_layer(
    request: Request, municipality: Owner, layer: Layer, connection: UsesConnection
) -> Response:
    """Return a layer as a FeatureCollection, without features where nothing was imported."""
    found = await layers.list_features(connection, municipality, layer)
    return pages.tagged(request, msgspec.json.encode(geojson.write(found)), GEOJSON)


@router.put(
    "/municipalities/{municipality}/layers/{layer}",
    openapi_extra=BODY,
    summary="Replace the districts or streets of a municipality",
)
async def put_layer(
    request: Request,
    municipality: Owner,
    layer: Layer,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    dry_run: Annotated[bool, Query(description="check, and write nothing")] = False,
) -> LayerPutOut:
    """Store a layer as it is in the body: what is not in it goes. Each problem is listed with its pointer."""
    done = await layers.import_layer(
        connection,
        municipality,
        layer,
        await request.body(),
        remove_missing=True,
        dry_run=dry_run,
        now=context.now,
        by=actor,
    )
    if done.problems:
        listed = [
            {"pointer": f"#{one.pointer}", "detail": f"{one.feature}: {one.message}".removeprefix(": ")}
            for one in done.problems[:MOST_LISTED]
        ]
        if more := len(done.problems) - len(listed):
            listed.append({"pointer": "#", "detail": f"{more} more problems"})
        raise Problem(422, "invalid", listed[0]["detail"], errors=listed)
    return LayerPutOut(**{name: getattr(done, name) for name in LayerPutOut.model_fields})
