"""The newest reading of each device."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Fields, Limit, Page
from api.http.problems import Problem
from api.schemas.latest import LatestOut, latest_out
from devices.registry import registry
from people.roles import Permission
from readings import latest

router = APIRouter(tags=["readings"])


@router.get("/latest", response_model=Page[LatestOut], summary="List the newest reading of every device")
async def list_latest(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    district: Annotated[str | None, Query(max_length=64, description="code of a district")] = None,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    after: Annotated[str | None, Query(max_length=64, description="cursor")] = None,
    limit: Limit = 100,
    fields: Fields = None,
) -> Response:
    """Return newest readings by device name; devices that never sent one are not in it."""
    found = await latest.list_latest(
        connection,
        municipality=municipality,
        kind=kind,
        district=district,
        after=after,
        limit=limit + 1,
        within=identity.towns(Permission.READ),
    )
    items = [latest_out(context.kinds, row) for row in found]
    return pages.answer(request, items, limit=limit, cursor=("after", "device"), fields=fields)


@router.get("/devices/{device}/latest", summary="Newest reading of one device")
async def get_latest(device: str, context: UsesContext, connection: UsesConnection) -> LatestOut:
    """Return the newest reading of a device."""
    await registry.get_device(connection, device)
    found = await latest.get_latest(connection, device)
    if found is None:
        raise Problem(404, "not-found", f"{device} has sent no reading yet")
    return latest_out(context.kinds, found)
