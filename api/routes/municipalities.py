"""The municipalities: list, add, change."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from devices.registry import municipalities, registry
from devices.registry.municipalities import NewMunicipality
from devices.registry.registry import Municipality
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
    register_unknown: bool = Field(
        default=False, description="a device that nobody registered is taken in; else it is quarantined"
    )


Town = Annotated[str, Path(max_length=32, examples=["tripoli"])]
Titles = Annotated[dict[str, Annotated[str, Field(max_length=100)]], Field(max_length=3)]
Days = Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(max_length=7)]


class TownChanges(BaseModel):
    """What to change of a municipality; members left out stay."""

    model_config = ConfigDict(extra="forbid")

    title: Titles = Field(default={}, examples=[{"en": "Tripoli", "fr": "Tripoli", "ar": "طرابلس"}])
    time_zone: str = Field(default="UTC", max_length=64, examples=["Asia/Beirut"])
    locale: str = Field(default="en", max_length=35, examples=["ar-LB"])
    weekend: Days = Field(default=[], examples=[[6, 7]], description="ISO days, 1 is Monday")
    lat: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False, examples=[34.4367])
    lon: float | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False, examples=[35.8497])
    register_unknown: bool = False


class TownIn(TownChanges):
    """A municipality to add. Without a week-end it has that of its locale."""

    name: str = Field(max_length=32, examples=["tripoli"], description="in topics: a-z, 0-9 and -")


@router.get("/municipalities", response_model=dict[str, list[MunicipalityOut]], summary="List municipalities")
async def list_municipalities(
    request: Request, connection: UsesConnection, identity: UsesIdentity
) -> Response:
    """Return every municipality that the caller reads by name, as `{"items": [...]}`."""
    items = [
        _out(m).model_dump(mode="json")
        for m in await registry.list_municipalities(connection)
        if identity.may_in(Permission.READ, m.name)
    ]
    return pages.tagged(request, msgspec.json.encode({"items": items}))


@router.post("/municipalities", status_code=201, summary="Add a municipality")
async def add_municipality(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    body: TownIn,
) -> MunicipalityOut:
    """Add a municipality; it is never deleted, since every row belongs to one."""
    said = body.model_dump(exclude_unset=True)
    if "weekend" in said:
        said["weekend"] = tuple(said["weekend"])
    added = await municipalities.add_municipality(connection, NewMunicipality(**said), context.now, by=actor)
    response.headers["Location"] = f"{request.url.path}/{added.name}"
    return _out(added)


@router.patch("/municipalities/{municipality}", summary="Change a municipality")
async def edit_municipality(
    municipality: Town, context: UsesContext, connection: UsesConnection, actor: UsesActor, body: TownChanges
) -> MunicipalityOut:
    """Change the members that are given; rules and deadlines follow within seconds."""
    changes = body.model_dump(exclude_unset=True)
    if "weekend" in changes:
        changes["weekend"] = tuple(changes["weekend"])
    return _out(
        await municipalities.edit_municipality(connection, municipality, changes, context.now, by=actor)
    )


def _out(found: Municipality) -> MunicipalityOut:
    named = {n: getattr(found, n) for n in MunicipalityOut.model_fields if n not in ("title", "weekend")}
    return MunicipalityOut(**named, title=dict(found.title), weekend=list(found.weekend))
