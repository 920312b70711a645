"""Devices that nobody registered and that send: list them, adopt one, receive again what was kept."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.access import in_town, in_town_of_device
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity, UsesLongConnection
from api.http.times import Instant
from api.idempotency import UsesChangeRequest
from devices.registry.errors import NotFound
from people.identity import Identity
from people.roles import Permission
from readings import proposals, quarantine
from readings.proposals import Proposal
from readings.quarantine import UnknownDevice
from store.connection import Connection

router = APIRouter(prefix="/quarantine", tags=["rejections"])

Name = Annotated[str, Path(max_length=64)]
MOST_LISTED = 1000


class SilentPlaceOut(BaseModel):
    """A place that fell silent before the stranger spoke."""

    device: str = Field(examples=["bin-0042"])
    title: str
    titles: dict[str, str] = Field(description="by language, where it is called otherwise there")
    since: Instant
    distance_m: float | None = Field(description="null: the stranger does not say where it is")


class ProposalOut(BaseModel):
    """What a stranger probably is; a person decides."""

    kind: str | None = Field(examples=["bin"], description="null: nothing fits, or several kinds alike")
    profile: str | None = Field(description="that reads its messages")
    names: list[str] = Field(examples=[["fill_pct"]], description="by which it was recognised")
    place: SilentPlaceOut | None = Field(description="whose hardware it probably replaces")


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
    proposal: ProposalOut


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
    kind: str | None = Field(default=None, max_length=31, description="where its topics do not say")


class QuarantineReplacement(BaseModel):
    """The place whose hardware an unknown device is from now on."""

    model_config = ConfigDict(extra="forbid")

    place: str = Field(max_length=64, examples=["bin-0042"])
    serial: str | None = Field(default=None, max_length=64, description="null: its name is its serial number")
    reason: str = Field(default="replaced", max_length=500, description="why the old one was removed")


class ReplayOut(BaseModel):
    """How many rejections will be received again."""

    device: str
    replayed: int


@router.get("", summary="List devices that send and are not registered")
async def list_unknown(
    context: UsesContext, connection: UsesLongConnection, identity: UsesIdentity
) -> QuarantineOut:
    """Return devices in quarantine whose topics name a municipality of the caller, the most recent first."""
    towns = identity.towns(Permission.INSTALL_DEVICES)
    found = await quarantine.unknown_devices(connection, limit=MOST_LISTED, within=towns)
    profiles = await context.profiles_now()
    proposed = await proposals.proposals(connection, context.kinds, profiles, found, context.now)
    return QuarantineOut(items=[_out(one, proposal) for one, proposal in zip(found, proposed, strict=True)])


def _out(one: UnknownDevice, proposal: Proposal) -> UnknownDeviceOut:
    known, place = proposal.recognised, proposal.place
    fields = set(UnknownDeviceOut.model_fields) - {"proposal"}
    return UnknownDeviceOut(
        **{name: getattr(one, name) for name in fields},
        proposal=ProposalOut(
            kind=known.kind if known else None,
            profile=(known.profile or None) if known else None,
            names=list(known.names) if known else [],
            place=SilentPlaceOut(**asdict(place)) if place else None,
        ),
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


@router.post("/{unknown}/replace", summary="Let it be the hardware of a place")
async def replace(
    unknown: Name,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: QuarantineReplacement,
) -> ReplayOut:
    """It stands at the place since it was first heard; what it sent is received again as the place's."""

    async def work() -> ReplayOut:
        await _check(connection, identity, unknown)
        await in_town_of_device(connection, identity, Permission.INSTALL_DEVICES, body.place)
        _, replayed = await quarantine.take_place(
            connection, unknown, body.place, context.now, serial=body.serial, reason=body.reason, by=actor
        )
        return ReplayOut(device=body.place, replayed=replayed)

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
