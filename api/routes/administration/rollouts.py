"""Firmware images, and rollouts that bring them to devices: started, followed, paused, resumed, cancelled."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import forbidden, in_town
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Limit, Page
from api.http.times import Instant
from api.idempotency import UsesChangeRequest
from devices.firmware import images, rollouts, steering
from devices.firmware.rollout import DEFAULT_STAGES, DeviceState, RolloutState
from devices.firmware.rollouts import OFFER_S, WATCH_S, NewRollout, Rollout
from devices.registry.errors import NotFound
from people.identity import Identity
from people.roles import Permission
from store.audit import Actor

router = APIRouter(tags=["commands"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Stage = Annotated[int, Field(ge=1, le=100)]


class ImageOut(BaseModel):
    """One image; what is signed are its kind, version, size and SHA-256."""

    kind: str = Field(examples=["light"])
    version: str = Field(examples=["2.5.0"])
    size: int = Field(description="bytes")
    sha256: str
    signature: str = Field(description="Ed25519, hexadecimal")
    public_key: str = Field(description="of whoever signed it, hexadecimal")
    note: str
    added_by: str | None
    added_at: Instant


class RolloutIn(BaseModel):
    """Which image is to be brought where, and how carefully."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(max_length=31, examples=["light"])
    version: str = Field(max_length=64, examples=["2.5.0"])
    municipality: str | None = Field(default=None, max_length=32, description="left out: all")
    stages: tuple[Stage, ...] = Field(
        default=DEFAULT_STAGES, max_length=20, description="per cent of all devices after each stage"
    )
    tolerated_pct: int = Field(
        default=10, ge=0, le=100, description="so many of the reached may come to harm; of a few none"
    )
    watch_s: int = Field(default=WATCH_S, ge=0, le=30 * 86_400, description="how long alerts are watched")
    offer_s: int = Field(default=OFFER_S, ge=60, le=7 * 86_400, description="how long a device may take")


class RolloutOut(BaseModel):
    """One rollout as it stands."""

    id: int
    kind: str
    version: str
    sha256: str
    municipality: str | None
    stages: tuple[int, ...] = Field(examples=[[1, 10, 100]])
    stage: int = Field(description="index of the present stage, from 0")
    tolerated_pct: int
    watch_s: int
    offer_s: int
    state: RolloutState
    detail: str | None = Field(description="why it stopped")
    started_by: str | None
    started_at: Instant
    settled_at: Instant | None = Field(description="since when every device of the stage has ended")
    ended_at: Instant | None
    devices: int
    left_out: int = Field(description="devices that lack the image and have no password to fetch it with")
    reached: int = Field(description="devices of the stages up to the present one")
    alerted: int = Field(description="devices that have raised an alert since they were offered it")
    counts: dict[str, int] = Field(description="devices by state")


class RolloutDeviceOut(BaseModel):
    """One device of a rollout."""

    device: str
    municipality: str
    position: int
    stage: int
    state: DeviceState
    detail: str | None
    alerted: bool
    firmware: str | None = Field(description="what it says that it has")
    changed_at: Instant


@router.get("/firmware", summary="List firmware images")
async def list_firmware(
    connection: UsesConnection,
    identity: UsesIdentity,
    kind: Annotated[str | None, Query(max_length=31)] = None,
) -> Page[ImageOut]:
    """Return every image, the last added first; `nabd firmware add` adds one."""
    found = await images.list_images(connection, kind)
    named = identity.may(Permission.READ_NAMES)
    shown = [ImageOut(**{name: getattr(one, name) for name in ImageOut.model_fields}) for one in found]
    return Page(items=shown if named else [one.model_copy(update={"added_by": None}) for one in shown])


@router.get("/rollouts", response_model=Page[RolloutOut], summary="List rollouts")
async def list_rollouts(
    request: Request,
    connection: UsesConnection,
    identity: UsesIdentity,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="cursor")] = None,
    limit: Limit = 100,
) -> Response:
    """Return rollouts, the newest first."""
    within = identity.towns(Permission.READ)
    found = await rollouts.list_rollouts(connection, within=within, before=before, limit=limit + 1)
    items = [_out(one, identity) for one in found]
    return pages.answer(request, items, limit=limit, cursor=("before", "id"))


@router.post("/rollouts", status_code=201, summary="Start a rollout")
async def start_rollout(
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    change: UsesChangeRequest,
    body: RolloutIn,
) -> RolloutOut:
    """Bring an image to devices stage by stage; it stops by itself when too many come to harm."""
    if body.municipality is None:
        if not identity.may_in(Permission.UPDATE_FIRMWARE, None):
            raise forbidden(Permission.UPDATE_FIRMWARE, "in all municipalities")
    else:
        missing = NotFound("municipality", body.municipality)
        in_town(identity, Permission.UPDATE_FIRMWARE, body.municipality, missing)

    async def work() -> RolloutOut:
        new = NewRollout(**body.model_dump())
        return _out(await rollouts.start(connection, new, context.now, by=actor), identity)

    return await change.once(RolloutOut, work, body)


@router.get("/rollouts/{rollout}", summary="One rollout")
async def get_rollout(rollout: Number, connection: UsesConnection, identity: UsesIdentity) -> RolloutOut:
    """Return how a rollout stands."""
    return _out(await rollouts.get_rollout(connection, rollout), identity)


@router.get(
    "/rollouts/{rollout}/devices", response_model=Page[RolloutDeviceOut], summary="Devices of a rollout"
)
async def list_rollout_devices(
    request: Request,
    rollout: Number,
    connection: UsesConnection,
    identity: UsesIdentity,
    state: Annotated[DeviceState | None, Query(description="only those that stand so")] = None,
    after: Annotated[int, Query(ge=-1, le=2**31 - 1, description="cursor: a position")] = -1,
    limit: Limit = 100,
) -> Response:
    """Return the devices of a rollout in the order in which they are reached."""
    within = identity.towns(Permission.READ)
    found = await rollouts.list_devices(
        connection, rollout, state=state, within=within, after=after, limit=limit + 1
    )
    items = [
        RolloutDeviceOut(**{name: getattr(one, name) for name in RolloutDeviceOut.model_fields})
        for one in found
    ]
    return pages.answer(request, items, limit=limit, cursor=("after", "position"))


@router.post(
    "/rollouts/{rollout}/pause",
    responses={409: {"description": "it is not running"}},
    summary="Pause a rollout",
)
async def pause_rollout(
    rollout: Number,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> RolloutOut:
    """Reach no more devices; those that have begun end what they do."""
    return await _steer(rollout, RolloutState.PAUSED, context, connection, identity, actor)


@router.post(
    "/rollouts/{rollout}/resume",
    responses={409: {"description": "it is neither paused nor stopped"}},
    summary="Resume a rollout",
)
async def resume_rollout(
    rollout: Number,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> RolloutOut:
    """Go on; after a stop devices that failed are tried again."""
    return await _steer(rollout, RolloutState.RUNNING, context, connection, identity, actor)


@router.post(
    "/rollouts/{rollout}/cancel",
    responses={409: {"description": "it has ended"}},
    summary="Cancel a rollout",
)
async def cancel_rollout(
    rollout: Number,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> RolloutOut:
    """End a rollout for good; what is updated stays so."""
    return await _steer(rollout, RolloutState.CANCELLED, context, connection, identity, actor)


async def _steer(
    number: int,
    state: RolloutState,
    context: UsesContext,
    connection: UsesConnection,
    identity: Identity,
    actor: Actor,
) -> RolloutOut:
    return _out(await steering.steer(connection, number, state, context.now, by=actor), identity)


def _out(found: Rollout, identity: Identity) -> RolloutOut:
    known = {name: getattr(found, name) for name in RolloutOut.model_fields}
    if not identity.may_in(Permission.READ_NAMES, found.municipality):
        known["started_by"] = None
    return RolloutOut(**known)
