"""The addresses of open data: a page, a catalogue, and files. Open to everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from alerts.overview.now import WantedDevices, every_device
from api.context import AppContext, UsesConnection, UsesContext
from api.http import files
from api.http.formats import MEDIA_TYPES, Format, begun
from api.http.languages import negotiate
from api.http.problems import Problem
from api.standards.open_data import catalogue, page
from api.standards.open_data.rows import columns_of, rows_of
from devices.kinds.kind import Kind
from devices.publishing import published
from devices.publishing.licences import LICENCES
from devices.publishing.published import PublishedTown
from devices.texts.languages import Language

router = APIRouter(prefix=page.ROOT, tags=["open data"])

FRESH_S = 60
"""How long a copy may be used: what is new is told a minute later."""
JSON_LD = "application/ld+json"
Town = Annotated[str, Path(max_length=32, examples=["tripoli"])]
KindName = Annotated[str, Path(max_length=31, pattern="^[a-z][a-z0-9_]*$", examples=["bin"])]


def _file(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"content": {media_type: {}}},
        404: {"description": "the municipality publishes nothing, or nothing of that kind"},
    }


@router.get("", response_class=HTMLResponse, summary="What municipalities publish, for people")
async def show(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    lang: Annotated[Language | None, Query(description="wins over Accept-Language")] = None,
) -> Response:
    """Show every municipality that publishes, its licence and its files, in the reader's language."""
    language = lang or negotiate(request.headers.get("accept-language"))
    towns = await published.list_published(connection)
    body = page.written(language, towns, context.kinds.values())
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-cache"}
    return HTMLResponse(body, headers=headers)


@router.get(
    "/catalogue.jsonld",
    responses={200: {"content": {JSON_LD: {"schema": {"type": "object"}}}}},
    response_class=Response,
    summary="The catalogue of open data (DCAT-AP)",
)
async def get_catalogue(request: Request, context: UsesContext, connection: UsesConnection) -> Response:
    """Return the catalogue as DCAT-AP in JSON-LD, for data portals."""
    towns = await published.list_published(connection)
    root = f"{request.url.scheme}://{request.url.netloc}{page.ROOT}"
    body = msgspec.json.encode(catalogue.document(root, towns, context.kinds.values()))
    return Response(body, media_type=JSON_LD, headers=_open())


@router.get(
    "/{municipality}/{kind}.csv",
    responses=_file(MEDIA_TYPES[Format.CSV]),
    response_class=StreamingResponse,
    summary="Newest values of a kind as CSV",
)
async def get_csv(municipality: Town, kind: KindName, context: UsesContext) -> Response:
    """Return a line for each device."""
    return await _table(context, municipality, kind, Format.CSV)


@router.get(
    "/{municipality}/{kind}.parquet",
    responses=_file(MEDIA_TYPES[Format.PARQUET]),
    response_class=StreamingResponse,
    summary="Newest values of a kind as Parquet",
)
async def get_parquet(municipality: Town, kind: KindName, context: UsesContext) -> Response:
    """Return a row for each device."""
    return await _table(context, municipality, kind, Format.PARQUET)


@router.get(
    "/{municipality}/{kind}.geojson",
    responses=_file(MEDIA_TYPES[Format.GEOJSON]),
    response_class=StreamingResponse,
    summary="Newest values of a kind as GeoJSON",
)
async def get_geojson(municipality: Town, kind: KindName, context: UsesContext) -> Response:
    """Return a feature for each device."""
    return await _table(context, municipality, kind, Format.GEOJSON)


async def _table(context: AppContext, municipality: str, kind: str, form: Format) -> Response:
    town, declared = await _public(context, municipality, kind)
    rows = await begun(_rows(context, declared, town.municipality))
    head = {"license": LICENCES[town.licence].url}
    body = files.body_of(form, columns_of(declared), rows, head=head)
    headers = {**_open(town), "Content-Disposition": f'inline; filename="{municipality}-{kind}.{form}"'}
    if form is Format.PARQUET:
        headers["Content-Encoding"] = "identity"  # compressed already
    media_type = MEDIA_TYPES[form] + ("; charset=utf-8" if form is Format.CSV else "")
    return StreamingResponse(body, media_type=media_type, headers=headers)


async def _public(context: AppContext, municipality: str, kind: str) -> tuple[PublishedTown, Kind]:
    """Return who publishes, and what.

    Raises:
        Problem: 404, the same whether there is no such municipality or it does not publish.
    """
    declared = context.kinds.get(kind)
    async with context.long_query() as connection:
        town = await published.get_published(connection, municipality)
    if town is None or declared is None or not declared.public:
        raise Problem(404, "not-found", f"nothing is published as {municipality}/{kind}")
    return town, declared


async def _rows(context: AppContext, kind: Kind, municipality: str) -> AsyncIterator[list[dict[str, Any]]]:
    wanted = WantedDevices(kinds=[kind.name], municipality=municipality)
    async for several in every_device(context.long_query, wanted):
        yield rows_of(kind, several)


def _open(town: PublishedTown | None = None) -> Mapping[str, str]:
    """Return the headers of what pages of other sites may read, and caches keep."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": f"public, max-age={FRESH_S}",
    }
    if town is not None:
        headers["Link"] = f'<{LICENCES[town.licence].url}>; rel="license"'
    return headers
