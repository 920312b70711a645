"""Devices: list, register, read, edit, retire."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.author import UsesActor
from api.context import UsesConnection, UsesContext
from api.http import pages
from api.http.pages import Fields, Limit, Page
from api.http.times import Instant
from devices.registry import editing, registration, registry
from devices.registry.registration import NewDevice
from devices.registry.registry import Device

router = APIRouter(tags=["devices"])

Name = Annotated[str, Path(max_length=64)]
Position = Annotated[float | None, Field(allow_inf_nan=False, strict=True)]


class DeviceIn(BaseModel):
    """What is said of a device to register it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=64, examples=["bin-0007"], description="the id it uses on the wire")
    kind: str = Field(max_length=31, examples=["bin"])
    municipality: str = Field(max_length=32, examples=["tripoli"])
    parent: str | None = Field(default=None, max_length=64, description="gateway, circuit or cabinet")
    title: str = Field(default="", max_length=200, examples=["Al-Tall square"])
    lat: Position = Field(default=None, ge=-90, le=90, examples=[34.4367])
    lon: Position = Field(default=None, ge=-180, le=180, examples=[35.8497])
    attributes: dict[str, Any] = Field(default={}, examples=[{"usable_depth_mm": 1200}])
    district: str | None = Field(
        default=None, max_length=64, description="code of its district; null: the one in which it stands"
    )


class DeviceChanges(BaseModel):
    """What to change; members left out stay. Attributes are merged, one set to null is taken away."""

    model_config = ConfigDict(extra="forbid")

    municipality: str = Field(default="", max_length=32)
    parent: str | None = Field(default=None, max_length=64)
    title: str = Field(default="", max_length=200, examples=["Al-Tall square, north side"])
    lat: Position = Field(default=None, ge=-90, le=90)
    lon: Position = Field(default=None, ge=-180, le=180)
    attributes: dict[str, Any] = Field(default={}, examples=[{"usable_depth_mm": 1150}])
    district: str | None = Field(
        default=None, max_length=64, description="set by hand; null: the one in which it stands"
    )


class Retirement(BaseModel):
    """Why a device is taken out of service."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500, examples=["stolen"])


class DeviceOut(BaseModel):
    """One registered device."""

    name: str = Field(examples=["bin-0007"])
    kind: str = Field(examples=["bin"])
    municipality: str = Field(examples=["tripoli"])
    parent: str | None
    title: str = Field(examples=["Al-Tall square"])
    lat: float | None = Field(examples=[34.4367])
    lon: float | None = Field(examples=[35.8497])
    attributes: dict[str, Any]
    retired_at: Instant | None
    retired_reason: str | None
    version: int = Field(description="also the ETag")
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
    connection: UsesConnection,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    district: Annotated[str | None, Query(max_length=64, description="code of a district")] = None,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    parent: Annotated[str | None, Query(max_length=64)] = None,
    search: Annotated[str | None, Query(max_length=100, description="in name and title")] = None,
    retired: Annotated[bool, Query(description="the retired instead of those in service")] = False,
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
        search=search,
        retired=retired,
        after=after,
        limit=limit + 1,
    )
    items = [_device_out(device) for device in found]
    return pages.answer(request, items, limit=limit, cursor=("after", "name"), fields=fields)


@router.post("/devices", status_code=201, summary="Register a device")
async def add_device(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    body: DeviceIn,
) -> DeviceOut:
    """Register a device; its Location is the answer's header."""
    device = await registration.add_device(
        connection, context.kinds, NewDevice(**body.model_dump()), context.now, by=actor
    )
    response.headers["Location"] = f"{request.url.path}/{device.name}"
    return _tagged(response, device)


@router.get("/devices/{device}", summary="One device")
async def get_device(device: Name, response: Response, connection: UsesConnection) -> DeviceOut:
    """Return a device, retired or not, with its ETag."""
    return _tagged(response, await registry.get_device(connection, device))


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
    actor: UsesActor,
    body: DeviceChanges,
    if_match: Annotated[str | None, Header(description='ETag of the version to change, or "*"')] = None,
) -> DeviceOut:
    """Change a device, unless somebody else changed it since the version named by If-Match."""
    changed = await editing.edit_device(
        connection,
        context.kinds,
        device,
        body.model_dump(exclude_unset=True),
        version=pages.wanted_version(if_match),
        now=context.now,
        by=actor,
    )
    return _tagged(response, changed)


@router.post("/devices/{device}/retire", summary="Take a device out of service")
async def retire_device(
    device: Name,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    body: Retirement,
) -> DeviceOut:
    """Retire a device: its readings stay, what it sends from now on is rejected."""
    retired = await editing.retire_device(connection, device, body.reason, context.now, by=actor)
    return _tagged(response, retired)


def _tagged(response: Response, device: Device) -> DeviceOut:
    response.headers["ETag"] = f'"{device.version}"'
    response.headers["Cache-Control"] = pages.CACHE
    return _device_out(device)


def _device_out(device: Device) -> DeviceOut:
    return DeviceOut(**{name: getattr(device, name) for name in DeviceOut.model_fields})
