"""The municipalities, read only."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.context import UsesConnection, UsesIdentity
from api.http import pages
from devices.registry import registry
from people.roles import Permission

router = APIRouter(tags=["municipalities"])


class MunicipalityOut(BaseModel):
    """One town."""

    name: str = Field(examples=["tripoli"])
    title: dict[str, str] = Field(examples=[{"en": "Tripoli", "fr": "Tripoli", "ar": "طرابلس"}])
    time_zone: str = Field(examples=["Asia/Beirut"])
    locale: str = Field(examples=["ar-LB"])
    weekend: list[int] = Field(examples=[[6, 7]], description="ISO days, 1 is Monday")
    lat: float | None = None
    lon: float | None = None


@router.get("/municipalities", response_model=dict[str, list[MunicipalityOut]], summary="List municipalities")
async def list_municipalities(
    request: Request, connection: UsesConnection, identity: UsesIdentity
) -> Response:
    """Return every municipality that the caller reads by name, as `{"items": [...]}`."""
    items = [
        MunicipalityOut(
            name=m.name,
            title=dict(m.title),
            time_zone=m.time_zone,
            locale=m.locale,
            weekend=list(m.weekend),
            lat=m.lat,
            lon=m.lon,
        ).model_dump(mode="json")
        for m in await registry.list_municipalities(connection)
        if identity.may_in(Permission.READ, m.name)
    ]
    return pages.tagged(request, msgspec.json.encode({"items": items}))
