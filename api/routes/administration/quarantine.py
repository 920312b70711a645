"""Devices that nobody registered and that send: list them, adopt one, receive again what was kept."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.access import in_town
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity, UsesLongConnection
from api.http.times import Instant
from api.idempotency import UsesChangeRequest
from devices.registry.errors import NotFound
from people.identity import Identity
from people.roles import Permission
from readings import quarantine
from readings.quarantine import UnknownDevice
from store.connection import Connection

router = APIRouter(prefix="/quarantine", tags=["rejections"])

Name = Annotated[str, Path(max_length=64)]
MOST_LISTED = 1000


class UnknownDeviceOut(BaseModel):
    """A device in quarantine for one reason, with the municipality and kind of its topics."""

    device: str = Field(examples=["bin-0099"])
    kind: str = Field(examples=["bin"], description="empty where a gateway does not say")
    municipality: str = Field(examples=["tripoli"])
    gateway: str | None = Field(description="that relayed it; null: it published itself")
    reason: str = Field(examples=["unknown_device"])
    count: int = Field(description="readings that wait")
    first_at: Instant
    last_at: Instant


class QuarantineOut(BaseModel):
    """The most recent first."""

    items: list[UnknownDeviceOut] = Field(max_length=MOST_LISTED)


class Adoption(BaseModel):
    """What is said of a device that is adopted; kind and municipality follow from its topics."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(default="", max_length=200, examples=["Al-Tall square"])
    lat: Annotated[float | None, Field(allow_inf_nan=False, strict=True)] = Field(default=None, ge=-90, le=90)
    lon: Annotated[float | None, Field(allow_inf_nan=False, strict=True)] = Field(
        default=None, ge=-180, le=180
    )
    attributes: dict[str, Any] = Field(default={}, examples=[{"usable_depth_mm": 1200}])


class ReplayOut(BaseModel):
    """How many rejections will be received again."""

    device: str
    replayed: int


@router.get("", summary="List devices that send and are not registered")
async def list_unknown(connection: UsesLongConnection, identity: UsesIdentity) -> QuarantineOut:
    """Return devices in quarantine whose topics name a municipality of the caller, the most recent first."""
    towns = identity.towns(Permission.INSTALL_DEVICES)
    found = await quarantine.unknown_devices(connection, limit=MOST_LISTED, within=towns)
    return QuarantineOut(
        items=[
            UnknownDeviceOut(**{n: getattr(one, n) for n in UnknownDeviceOut.model_fields}) for one in found
        ]
    )


@router.post("/{unknown}/adopt", status_code=201, summary="Register a device as its topics describe it")
async def adopt(
    unknown: Name,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: Adoption,
) -> ReplayOut:
    """Register it since it was first heard, and receive again what it sent."""

    async def work() -> ReplayOut:
        await _check(connection, identity, unknown)
        device, replayed = await quarantine.adopt(
            connection, context.kinds, unknown, context.now, **body.model_dump(), by=actor
        )
        return ReplayOut(device=device.name, replayed=replayed)

    return await command.once(ReplayOut, work, body)


@router.post("/{unknown}/replay", summary="Receive again what a device has in quarantine")
async def replay(
    unknown: Name,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
) -> ReplayOut:
    """Receive it again once the registry was corrected; what is still not accepted is rejected anew."""

    async def work() -> ReplayOut:
        await _check(connection, identity, unknown)
        replayed = await quarantine.request_replay(connection, unknown, context.now, by=actor)
        return ReplayOut(device=unknown, replayed=replayed)

    return await command.once(ReplayOut, work)


async def _check(connection: Connection, identity: Identity, name: str) -> None:
    """Refuse what lies in quarantine under a municipality in which the caller installs nothing."""
    found: list[UnknownDevice] = await quarantine.unknown_devices(connection, device=name)
    missing = NotFound("device in quarantine", name)
    if not found:
        raise missing
    for town in {one.municipality for one in found}:
        in_town(identity, Permission.INSTALL_DEVICES, town, missing)
