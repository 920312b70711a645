"""What devices are to be set to, against what they say they are set to."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Limit, Page
from api.http.times import Instant
from devices.commands import configured
from devices.commands.configuration import Agreement, DeviceConfig
from people.identity import Identity
from people.roles import Permission

router = APIRouter(tags=["commands"])

Name = Annotated[str, Path(max_length=64)]
Values = dict[str, Any]


class ConfigChanges(BaseModel):
    """What is wanted anew; names left out stay, null takes a wish back."""

    model_config = ConfigDict(extra="forbid")

    desired: Values = Field(examples=[{"interval_s": 300}], min_length=1, max_length=50)


class ConfigOut(BaseModel):
    """What is wanted of one device, and what it said last."""

    device: str = Field(examples=["light-0003"])
    kind: str
    municipality: str
    desired: Values = Field(examples=[{"interval_s": 300}])
    version: int = Field(description="of what is wanted; also the ETag")
    desired_at: Instant | None
    desired_by: str | None = Field(description="null for who may not see that")
    reported: Values = Field(examples=[{"interval_s": 60}])
    refused: dict[str, str] = Field(description="why the device does not take it, by name")
    reported_version: int | None = Field(description="the version that the device knows")
    reported_at: Instant | None
    firmware: str | None = Field(examples=["2.4.1"])
    drift: tuple[str, ...] = Field(description="names of what is not as it is wanted")
    agreement: Agreement


@router.get("/devices/{device}/config", summary="What a device is to be set to")
async def get_device_config(
    device: Name, response: Response, connection: UsesConnection, identity: UsesIdentity
) -> ConfigOut:
    """Return what is wanted of a device, what it reports, and what of that differs."""
    return _tagged(response, await configured.get_config(connection, device), identity)


@router.patch(
    "/devices/{device}/config",
    responses={
        409: {"description": "it is retired"},
        412: {"description": "it was changed since the version that If-Match names"},
    },
    summary="Change what a device is to be set to",
)
async def change_device_config(
    device: Name,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: ConfigChanges,
    if_match: Annotated[str | None, Header(description='ETag of the version to change, or "*"')] = None,
) -> ConfigOut:
    """Change what is wanted of a device: the broker keeps it for whenever the device connects."""
    changed = await configured.desire(
        connection,
        context.kinds,
        device,
        body.desired,
        context.now,
        by=actor,
        version=pages.wanted_version(if_match),
    )
    return _tagged(response, changed, identity)


@router.get("/device-configs", response_model=Page[ConfigOut], summary="Configurations by device")
async def list_device_configs(
    request: Request,
    connection: UsesConnection,
    identity: UsesIdentity,
    drifting: Annotated[bool, Query(description="only devices that are set otherwise than wanted")] = False,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    after: Annotated[str | None, Query(max_length=64, description="cursor")] = None,
    limit: Limit = 100,
) -> Response:
    """Return what is wanted of devices and what they report, by name."""
    found = await configured.list_configs(
        connection,
        drifting=drifting,
        kind=kind,
        within=identity.towns(Permission.READ),
        after=after,
        limit=limit + 1,
    )
    items = [_out(one, identity) for one in found]
    return pages.answer(request, items, limit=limit, cursor=("after", "device"))


def _tagged(response: Response, config: DeviceConfig, identity: Identity) -> ConfigOut:
    response.headers["ETag"] = f'"{config.version}"'
    response.headers["Cache-Control"] = pages.CACHE
    return _out(config, identity)


def _out(config: DeviceConfig, identity: Identity) -> ConfigOut:
    known = {name: getattr(config, name) for name in ConfigOut.model_fields}
    if not identity.may_in(Permission.READ_NAMES, config.municipality):
        known["desired_by"] = None
    return ConfigOut(**known)
