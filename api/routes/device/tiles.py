"""What lies under the map: which tiles there are, and those of the platform's own file."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api.context import UsesContext
from api.http.problems import Problem
from api.tiles.archive import BadArchive
from api.tiles.source import LAST_ZOOM, OWN, TileFormat, format_of

router = APIRouter(tags=["devices"])

AGE_S = 3600
MEDIA_TYPES = {
    "pbf": "application/vnd.mapbox-vector-tile",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
}


class MapTilesOut(BaseModel):
    """Where tiles come from; without `url` there are none, and maps show the municipality's layers alone."""

    url: str | None = Field(default=None, examples=[OWN], description="with {z}, {x} and {y}")
    format: TileFormat = "raster"
    first_zoom: int = 0
    last_zoom: int = LAST_ZOOM
    bounds: list[float] | None = Field(
        default=None, description="west, south, east, north, where it is known"
    )
    attribution: str = Field(default="", description="who is to be named on the map")


@router.get("/map/tiles", summary="Which tiles lie under the map")
async def get_map_tiles(context: UsesContext) -> MapTilesOut:
    """Return the address that the settings name, or that of the platform's own file."""
    source = context.tiles
    if source is None:
        return MapTilesOut()
    if source.url is not None:
        return MapTilesOut(url=source.url, format=format_of(source.url), attribution=source.attribution)
    archive = context.tile_archive
    if archive is None:
        raise Problem(503, "unavailable", f"the file of tiles cannot be read: {source.file}")
    return MapTilesOut(
        url=OWN,
        format="vector" if archive.tile_type == "pbf" else "raster",
        first_zoom=archive.zooms[0],
        last_zoom=archive.zooms[1],
        bounds=[*archive.bounds],
        attribution=source.attribution,
    )


Grid = Annotated[int, Path(ge=0, lt=2**24)]


@router.get(
    "/map/tiles/{z}/{x}/{y}",
    response_class=Response,
    responses={
        200: {"description": "one tile", "content": {media: {} for media in MEDIA_TYPES.values()}},
        204: {"description": "nothing is drawn there"},
    },
    summary="One tile of the platform's own file",
)
async def get_map_tile(
    request: Request, context: UsesContext, z: Annotated[int, Path(ge=0, le=24)], x: Grid, y: Grid
) -> Response:
    """Return a tile: an image, or a vector tile of Mapbox's format; 204 where the file has none."""
    archive = context.tile_archive
    try:
        body = None if archive is None else await asyncio.to_thread(archive.tile, (z, x, y))
    except BadArchive as error:
        raise Problem(503, "unavailable", str(error)) from error
    except OSError as error:
        raise Problem(503, "unavailable", f"the file of tiles cannot be read: {error.strerror}") from error
    headers = {"Cache-Control": f"private, max-age={AGE_S}"}
    if archive is None or body is None:
        return Response(status_code=204, headers=headers)
    return Response(body, media_type=MEDIA_TYPES[archive.tile_type], headers=headers)
