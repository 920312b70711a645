"""Devices that shall never be let in: banned from the quarantine, listed, and let in again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.access import in_town
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http.times import Instant
from api.schemas.words import NO_CONTROL
from devices.registry import bans
from devices.registry.bans import REASON_LENGTH, BannedDevice
from devices.registry.errors import NotFound
from people.identity import Identity
from people.roles import Permission
from readings import quarantine
from store.connection import Connection

router = APIRouter(tags=["rejections"])

Name = Annotated[str, Path(max_length=64)]


class Ban(BaseModel):
    """Why a device is never let in."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=REASON_LENGTH, pattern=NO_CONTROL, examples=["not ours"])


class BannedDeviceOut(BaseModel):
    """A name that is never registered."""

    name: str = Field(examples=["bin-0666"])
    municipality: str | None = Field(description="which its topics named, where that is registered")
    reason: str
    author: str
    banned_at: Instant


class BannedDevicesOut(BaseModel):
    """The last first."""

    items: list[BannedDeviceOut]


@router.post("/quarantine/{unknown}/ban", status_code=201, summary="Never let a device in")
async def ban_device(
    unknown: Name,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: Ban,
) -> BannedDeviceOut:
    """Ban a device that waits in quarantine: it is not listed there, and cannot be registered any more."""
    found = await quarantine.unknown_devices(connection, device=unknown)
    missing = NotFound("device in quarantine", unknown)
    if not found:
        raise missing
    for town in {one.municipality for one in found}:
        in_town(identity, Permission.MANAGE_DEVICES, town, missing)
    town = found[0].municipality
    made = await bans.ban(connection, unknown, body.reason, context.now, municipality=town, by=actor)
    return _out(made)


@router.get("/banned-devices", summary="List devices that are never let in")
async def list_banned_devices(connection: UsesConnection, identity: UsesIdentity) -> BannedDevicesOut:
    """Return the banned devices of the caller's municipalities, the last first."""
    found = await bans.list_banned(connection, within=identity.towns(Permission.MANAGE_DEVICES))
    return BannedDevicesOut(items=[_out(one) for one in found])


@router.delete("/banned-devices/{unknown}", status_code=204, summary="Let a device in again")
async def unban_device(
    unknown: Name,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> None:
    """End a ban: what it sends waits in quarantine again."""
    await _check(connection, identity, unknown)
    await bans.unban(connection, unknown, context.now, by=actor)


async def _check(connection: Connection, identity: Identity, name: str) -> None:
    """Refuse what is banned where the caller manages no devices."""
    missing = NotFound("banned device", name)
    mine = await bans.list_banned(connection, within=identity.towns(Permission.MANAGE_DEVICES))
    if name not in {one.name for one in mine}:
        raise missing


def _out(banned: BannedDevice) -> BannedDeviceOut:
    return BannedDeviceOut(**{name: getattr(banned, name) for name in BannedDeviceOut.model_fields})
