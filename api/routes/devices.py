"""Devices: list, register, read, edit, retire."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import in_town, in_town_of_device
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity, UsesLongConnection
from api.http import pages
from api.http.pages import Fields, Limit, Page
from api.http.times import Asked, Instant
from devices.kinds.kind import INTERVAL
from devices.registry import editing, hardware, installing, registration, registry
from devices.registry.errors import NotFound
from devices.registry.life import Life
from devices.registry.registration import NewDevice
from devices.registry.registry import Device
from devices.registry.relays import MOST
from devices.texts.languages import LANGUAGES, Language
from people.identity import Identity
from people.roles import Permission
from readings.planned import hint_of, speaking_planned

router = APIRouter(tags=["devices"])

Name = Annotated[str, Path(max_length=64)]
Gateways = Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=MOST)]
Titles = Annotated[dict[Language, Annotated[str, Field(max_length=200)]], Field(max_length=len(LANGUAGES))]
Position = Annotated[float | None, Field(allow_inf_nan=False, strict=True)]


class DeviceIn(BaseModel):
    """What is said of a device to register it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=64, examples=["bin-0007"], description="the id it uses on the wire")
    kind: str = Field(max_length=31, examples=["bin"])
    municipality: str = Field(max_length=32, examples=["tripoli"])
    parent: str | None = Field(
        default=None,
        max_length=64,
        description="circuit or cabinet that feeds it; a gateway is taken for one of its relays",
    )
    relays: Gateways = Field(default=(), description="gateways that pass on what it sends")
    serial: str | None = Field(default=None, max_length=64, description="of its hardware")
    title: str = Field(default="", max_length=200, examples=["Al-Tall square"])
    titles: Titles = Field(default={}, examples=[{"ar": "ساحة التل"}], description="by language")
    lat: Position = Field(default=None, ge=-90, le=90, examples=[34.4367])
    lon: Position = Field(default=None, ge=-180, le=180, examples=[35.8497])
    attributes: dict[str, Any] = Field(default={}, examples=[{"usable_depth_mm": 1200}])
    installed_at: Asked | None = Field(default=None, description="left out: now, unless it is planned")
    planned: bool = Field(default=False, description="not installed yet: nothing is expected of it")
    district: str | None = Field(
        default=None, max_length=64, description="code of its district; null: the one in which it stands"
    )


class DeviceChanges(BaseModel):
    """What to change; members left out stay. Attributes are merged, one set to null is taken away."""

    model_config = ConfigDict(extra="forbid")

    municipality: str = Field(default="", max_length=32)
    parent: str | None = Field(
        default=None, max_length=64, description="a gateway takes the place of its relays instead"
    )
    relays: Gateways = Field(default=(), description="all of them, in place of those before")
    serial: str | None = Field(default=None, max_length=64, description="where none is known yet")
    title: str = Field(default="", max_length=200, examples=["Al-Tall square, north side"])
    titles: Titles = Field(
        default={},
        examples=[{"ar": "ساحة التل"}],
        description="merged; an empty one is taken away",
    )
    lat: Position = Field(default=None, ge=-90, le=90)
    lon: Position = Field(default=None, ge=-180, le=180)
    attributes: dict[str, Any] = Field(default={}, examples=[{"usable_depth_mm": 1150}])
    installed_at: Asked | None = Field(default=None, description="null makes it planned again")
    district: str | None = Field(
        default=None, max_length=64, description="set by hand; null: the one in which it stands"
    )


class Retirement(BaseModel):
    """Why a device is taken out of service."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500, examples=["stolen"])


class Installation(BaseModel):
    """Since when a planned device stands in the street."""

    model_config = ConfigDict(extra="forbid")

    at: Asked | None = Field(default=None, description="left out: now")


class Replacement(BaseModel):
    """The hardware that takes the place of what stood there."""

    model_config = ConfigDict(extra="forbid")

    serial: str = Field(max_length=64, examples=["SN-20417"])
    wire_name: str | None = Field(default=None, max_length=64, description="left out: as the old one's")
    at: Asked | None = Field(default=None, description="left out: now")
    reason: str = Field(default="", max_length=500, examples=["cell flat"])


class HardwareOut(BaseModel):
    """One piece of hardware at a place; it stands there while `removed_at` is null."""

    wire_name: str
    serial: str | None
    installed_at: Instant
    removed_at: Instant | None
    removed_reason: str = Field(description="empty for who may not see what people wrote")


class DeviceOut(BaseModel):
    """One registered device."""

    name: str = Field(examples=["bin-0007"])
    kind: str = Field(examples=["bin"])
    municipality: str = Field(examples=["tripoli"])
    parent: str | None = Field(description="what feeds it")
    relays: tuple[str, ...] = Field(description="gateways that pass on what it sends")
    wire_name: str = Field(description="what its hardware calls itself in topics")
    serial: str | None = Field(description="of its hardware")
    title: str = Field(examples=["Al-Tall square"])
    titles: dict[str, str] = Field(
        examples=[{"ar": "ساحة التل"}],
        description="by language, where it is called otherwise there",
    )
    lat: float | None = Field(examples=[34.4367])
    lon: float | None = Field(examples=[35.8497])
    attributes: dict[str, Any]
    life: Life
    installed_at: Instant | None = Field(description="null while it is planned")
    retired_at: Instant | None
    retired_reason: str | None = Field(description="null also for who may not see what people wrote")
    version: int = Field(description="also the ETag")
    hint: str | None = Field(default=None, description="what should be done about it")
    district: str | None = Field(description="code of the district in which it stands", examples=["al-mina"])
    district_title: dict[str, str] = Field(examples=[{"en": "Al-Mina", "fr": "El-Mina", "ar": "الميناء"}])
    district_by_hand: bool = Field(description="somebody set it: the position does not decide")
    street: str | None = Field(description="code of the nearest street within 50 m", examples=["azmi-street"])
    street_title: dict[str, str] = Field(
        examples=[{"en": "Azmi Street", "fr": "Rue Azmi", "ar": "شارع عزمي"}]
    )


@router.get("/devices", response_model=Page[DeviceOut], summary="List devices by name")
async def list_devices(
    request: Request,
    connection: UsesLongConnection,
    identity: UsesIdentity,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    district: Annotated[str | None, Query(max_length=64, description="code of a district")] = None,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    parent: Annotated[str | None, Query(max_length=64, description="what it feeds or relays")] = None,
    relay: Annotated[str | None, Query(max_length=64, description="what this gateway relays")] = None,
    search: Annotated[str | None, Query(max_length=100, description="in name and title")] = None,
    retired: Annotated[bool, Query(description="the retired instead of those in service")] = False,
    life: Annotated[Life | None, Query(description="only those of this life, retired or not")] = None,
    after: Annotated[str | None, Query(max_length=64, description="cursor")] = None,
    limit: Limit = 100,
    fields: Fields = None,
) -> Response:
    """Return devices by name."""
    found = await registry.list_devices(
        connection,
        municipality=municipality,
        district=district,
        kind=kind,
        parent=parent,
        relay=relay,
        search=search,
        retired=retired,
        life=life,
        after=after,
        limit=limit + 1,
        within=identity.towns(Permission.READ),
    )
    planned = [device.name for device in found if device.life is Life.PLANNED]
    speaking = await speaking_planned(connection, planned) if planned else []
    items = [_device_out(device, identity, speaks=device.name in speaking) for device in found]
    return pages.answer(request, items, limit=limit, cursor=("after", "name"), fields=fields)


@router.post("/devices", status_code=201, summary="Register a device")
async def add_device(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: DeviceIn,
) -> DeviceOut:
    """Register a device; its Location is the answer's header."""
    _check_town(identity, body.municipality)
    device = await registration.add_device(
        connection, context.kinds, NewDevice(**body.model_dump()), context.now, by=actor
    )
    response.headers["Location"] = f"{request.url.path}/{device.name}"
    return _tagged(response, device, identity)


@router.get("/devices/{device}", summary="One device")
async def get_device(
    device: Name, response: Response, connection: UsesConnection, identity: UsesIdentity
) -> DeviceOut:
    """Return a device, retired or not, with its ETag."""
    found = await registry.get_device(connection, device)
    speaks = bool(await speaking_planned(connection, [device])) if found.life is Life.PLANNED else False
    return _tagged(response, found, identity, speaks=speaks)


@router.patch(
    "/devices/{device}",
    responses={412: {"description": "it changed since the version that If-Match names"}},
    summary="Change a device",
)
async def edit_device(
    device: Name,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: DeviceChanges,
    if_match: Annotated[str | None, Header(description='ETag of the version to change, or "*"')] = None,
) -> DeviceOut:
    """Change a device, unless somebody else changed it since the version named by If-Match.

    What silences a device, `installed_at` and the attribute `interval_s`, needs `manage-devices` there.
    """
    if "municipality" in body.model_fields_set:
        _check_town(identity, body.municipality)
    if "installed_at" in body.model_fields_set or INTERVAL in body.attributes:
        await in_town_of_device(connection, identity, Permission.MANAGE_DEVICES, device)
    changed = await editing.edit_device(
        connection,
        context.kinds,
        device,
        body.model_dump(exclude_unset=True),
        version=pages.wanted_version(if_match),
        now=context.now,
        by=actor,
    )
    return _tagged(response, changed, identity)


@router.post("/devices/{device}/retire", summary="Take a device out of service")
async def retire_device(
    device: Name,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: Retirement,
) -> DeviceOut:
    """Retire a device: its readings stay, what it sends from now on is rejected."""
    retired = await editing.retire_device(connection, device, body.reason, context.now, by=actor)
    return _tagged(response, retired, identity)


def _check_town(identity: Identity, name: str) -> None:
    """Refuse a municipality in which the caller installs nothing."""
    in_town(identity, Permission.INSTALL_DEVICES, name, NotFound("municipality", name))


@router.post(
    "/devices/{device}/install",
    responses={409: {"description": "it is installed already, or retired"}},
    summary="Install a planned device",
)
async def install_device(
    device: Name,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: Installation,
) -> DeviceOut:
    """Install a planned device: from then on it is expected to report, and rules judge it."""
    installed = await installing.install_device(connection, device, body.at, context.now, by=actor)
    return _tagged(response, installed, identity)


@router.get("/devices/{device}/hardware", summary="What stands, and stood, at a device's place")
async def list_hardware(
    device: Name, connection: UsesConnection, identity: UsesIdentity
) -> list[HardwareOut]:
    """Return the hardware of a place, the newest first."""
    found = await hardware.list_hardware(connection, device)
    shown = [HardwareOut(**{name: getattr(h, name) for name in HardwareOut.model_fields}) for h in found]
    town = (await registry.get_device(connection, device)).municipality
    if identity.may_in(Permission.READ_NAMES, town):
        return shown
    return [one.model_copy(update={"removed_reason": ""}) for one in shown]


@router.post(
    "/devices/{device}/hardware",
    responses={409: {"description": "it is retired"}},
    summary="Replace the hardware of a device",
)
async def replace_hardware(
    device: Name,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: Replacement,
) -> DeviceOut:
    """Let other hardware stand there: the place keeps its readings, alerts and work."""
    replaced = await hardware.replace_hardware(
        connection, device, **body.model_dump(), now=context.now, by=actor
    )
    return _tagged(response, replaced, identity)


def _tagged(response: Response, device: Device, identity: Identity, *, speaks: bool = False) -> DeviceOut:
    response.headers["ETag"] = f'"{device.version}"'
    response.headers["Cache-Control"] = pages.CACHE
    return _device_out(device, identity, speaks=speaks)


def _device_out(device: Device, identity: Identity, *, speaks: bool) -> DeviceOut:
    known = {name: getattr(device, name) for name in DeviceOut.model_fields if name != "hint"}
    if not identity.may_in(Permission.READ_NAMES, device.municipality):
        known["retired_reason"] = None
    return DeviceOut(**known, hint=hint_of(device, speaks=speaks))
