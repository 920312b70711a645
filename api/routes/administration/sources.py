"""Sources of foreign devices: list, add, change, remove. Their secrets are taken and never told."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import in_town
from api.author import UsesActor
from api.context import AppContext, UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.times import Instant
from api.schemas.words import NO_CONTROL
from devices.profiles import Profiles
from devices.registry.errors import NotFound
from devices.sources import registration
from devices.sources.listing import get_source, list_sources
from devices.sources.signatures import new_secret
from devices.sources.source import MOST_TOPICS, SECRET_LENGTH, NewSource, Source, Way, can_come
from devices.sources.states import is_alive
from devices.sources.translation import ALL
from people.identity import Identity
from people.roles import Permission
from store.connection import Connection

router = APIRouter(tags=["sources"])

VERSION_DIGITS = 17
"""A version is an instant in microseconds."""

Name = Annotated[str, Path(max_length=32, examples=["chirpstack"])]
Word = Annotated[str, Field(max_length=200, pattern=NO_CONTROL)]
Topics = Annotated[
    list[Annotated[str, Field(max_length=500, pattern=NO_CONTROL)]], Field(max_length=MOST_TOPICS)
]
Models = Annotated[dict[Word, Word], Field(max_length=1_000)]


class SourceStateOut(BaseModel):
    """How it goes with a source; `reason` says why it is away, or why readings wait."""

    connected: bool
    reason: str
    since: Instant
    alive_at: Instant
    last_message_at: Instant | None
    messages: int
    readings: int
    rejected: int
    copies: int
    refused: int = Field(description="deliveries to a webhook that did not show its secret")
    refused_at: Instant | None
    problems: int = Field(description="what devices said that was read in part only")
    problem: str = Field(description="of the last of these the device, and what could not be read")
    problem_at: Instant | None
    unread: int = Field(description="messages of a stream of which no reading was made, and none should be")


class SourceOut(BaseModel):
    """A source, all but its secret."""

    name: str = Field(examples=["chirpstack"])
    municipality: str
    gateway: str = Field(description="as whom its readings are relayed")
    way: Way
    format: str = Field(examples=["chirpstack"])
    profile: str
    profiles: dict[str, str] = Field(description="by the attribute `model` of a device")
    url: str
    topics: list[str]
    protocol: str
    username: str
    authority: str
    has_secret: bool
    enabled: bool
    version: int = Field(description="the number in its ETag")
    alive: bool = Field(
        default=True, description="whether who hears it gives signs of life; of a webhook that is the API"
    )
    state: SourceStateOut | None = Field(description="null until it was heard")


class ChangedSourceOut(SourceOut):
    """A source that was added or changed."""

    secret: str | None = Field(
        description="what a webhook that came without one is signed with: made here and told this once"
    )


class SourceFormatOut(BaseModel):
    """What a source may speak, and the ways by which that comes."""

    format: str = Field(examples=["chirpstack"])
    ways: list[Way]


class SourcesOut(BaseModel):
    """By name; and what one that is added may be."""

    items: list[SourceOut]
    formats: list[SourceFormatOut]


FORMATS = [SourceFormatOut(format=one, ways=[way for way in Way if can_come(one, way)]) for one in ALL]


class SourceSettings(BaseModel):
    """What can be said of a source that is added, and of one that is changed."""

    model_config = ConfigDict(extra="forbid")

    gateway: str = Field(default="", max_length=64, pattern=NO_CONTROL)
    way: Way = Way.MQTT
    format: str = Field(default="", max_length=40, pattern=NO_CONTROL, examples=["chirpstack"])
    profile: Word = ""
    profiles: Models = {}
    url: str = Field(default="", max_length=500, pattern=NO_CONTROL, examples=["mqtts://lora.example:8883"])
    topics: Topics = []
    protocol: str = Field(default="5", max_length=5, pattern=NO_CONTROL)
    username: Word = ""
    authority: str = Field(default="", max_length=65_536, pattern=NO_CONTROL)
    enabled: bool = True
    secret: str | None = Field(
        default=None, max_length=SECRET_LENGTH, pattern=NO_CONTROL, description="taken, and never told"
    )


class SourceChanges(SourceSettings):
    """What to change of a source; members left out stay."""

    new_secret: bool = Field(default=False, description="have a webhook's secret made anew, and told once")


class SourceIn(SourceSettings):
    """A source to add."""

    name: str = Field(max_length=32, pattern=NO_CONTROL, examples=["chirpstack"])
    municipality: str = Field(max_length=32, pattern=NO_CONTROL, examples=["tripoli"])
    format: str = Field(max_length=40, pattern=NO_CONTROL, examples=["chirpstack"])


@router.get("/sources", summary="List sources, and how it goes with each")
async def list_all(context: UsesContext, connection: UsesConnection, identity: UsesIdentity) -> SourcesOut:
    """Return the sources of the municipalities whose devices the caller manages."""
    found = await list_sources(connection, within=identity.towns(Permission.MANAGE_DEVICES))
    return SourcesOut(items=[_out(context, one) for one in found], formats=FORMATS)


@router.get("/sources/{source}", summary="One source")
async def get_one(
    source: Name,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
) -> SourceOut:
    """Return one source with its ETag, all but its secret."""
    found = await _mine(connection, identity, source)
    _tag(response, found)
    return _out(context, found)


@router.post("/sources", status_code=201, summary="Add a source")
async def add_source(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: SourceIn,
) -> ChangedSourceOut:
    """Add a source, and a gateway of its name where there is none; `nabd bridge` hears it within seconds.

    A webhook that is given no secret gets one.
    """
    missing = NotFound("municipality", body.municipality)
    in_town(identity, Permission.MANAGE_DEVICES, body.municipality, missing)
    said = body.model_dump(exclude_unset=True)
    given = said.pop("secret", None) or ""
    made = new_secret() if not given and registration.needs_secret(body.way, body.format) else ""
    added = await registration.add_source(
        connection,
        context.kinds,
        NewSource(**said),
        ALL,
        context.now,
        secret=given or made,
        profiles=await _profiles(context),
        anywhere=_anywhere(identity),
        by=actor,
    )
    response.headers["Location"] = f"{request.url.path}/{added.name}"
    _tag(response, added)
    return ChangedSourceOut(**_out(context, added).model_dump(), secret=made or None)


@router.patch(
    "/sources/{source}",
    summary="Change a source",
    responses={412: {"description": "it was changed since the version that If-Match names"}},
)
async def edit_source(
    source: Name,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: SourceChanges,
    if_match: Annotated[str | None, Header(description='ETag of the version to change, or "*"')] = None,
) -> ChangedSourceOut:
    """Change the members that are given, unless somebody else changed it since the version named by If-Match.

    Its session with the broker begins anew. A secret goes to whom it was told for: with another address or
    account it is to be given anew. What becomes a webhook of others gets one.
    """
    await _mine(connection, identity, source)
    changes: dict[str, Any] = body.model_dump(exclude_unset=True)
    secret = changes.pop("secret", None)
    edited, made = await registration.edit_source(
        connection,
        context.kinds,
        source,
        changes,
        ALL,
        context.now,
        secret=secret,
        new_one=changes.pop("new_secret", False),
        version=pages.wanted_version(if_match, VERSION_DIGITS),
        profiles=await _profiles(context),
        anywhere=_anywhere(identity),
        by=actor,
    )
    _tag(response, edited)
    return ChangedSourceOut(**_out(context, edited).model_dump(), secret=made or None)


@router.delete("/sources/{source}", status_code=204, summary="Remove a source")
async def remove_source(
    source: Name, context: UsesContext, connection: UsesConnection, identity: UsesIdentity, actor: UsesActor
) -> None:
    """Hear it no more; its gateway, its devices and their readings stay."""
    await _mine(connection, identity, source)
    await registration.remove_source(connection, source, context.now, by=actor)


async def _mine(connection: Connection, identity: Identity, name: str) -> Source:
    """Return a source of a municipality whose devices the caller manages."""
    return await get_source(connection, name, within=identity.towns(Permission.MANAGE_DEVICES))


def _anywhere(identity: Identity) -> bool:
    """Tell whether the caller manages the devices of every municipality."""
    return identity.towns(Permission.MANAGE_DEVICES) is None


async def _profiles(context: AppContext) -> Profiles:
    async with context.profiles_lock:
        return await asyncio.to_thread(context.profiles.current)


def _tag(response: Response, found: Source) -> None:
    response.headers["ETag"] = f'"{found.version}"'
    response.headers["Cache-Control"] = pages.CACHE


def _out(context: AppContext, source: Source) -> SourceOut:
    found = SourceOut.model_validate(source, from_attributes=True)
    found.alive = is_alive(source, context.now(), context.speed)
    return found
