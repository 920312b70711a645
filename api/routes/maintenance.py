"""Maintenance windows: which there are, plan one, end one early."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.access import in_town, in_town_of_device
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Limit, Page
from api.http.times import Asked, Instant
from api.idempotency import UsesChangeRequest
from api.schemas.words import NO_CONTROL
from devices.registry.errors import NotFound
from people.identity import Identity
from people.roles import Permission
from rules.maintenance import windows
from rules.maintenance.windows import PlannedWindow
from store.connection import Connection

router = APIRouter(tags=["maintenance"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class WindowOut(BaseModel):
    """When people work on a device and everything below it, or in a municipality: rules do not look then."""

    id: int
    device: str | None = Field(examples=["light-0042"])
    municipality: str | None = Field(examples=[None])
    time_zone: str = Field(examples=["Asia/Beirut"], description="of the municipality, or of the device's")
    from_at: Instant
    until_at: Instant = Field(description="not included")
    reason: str = Field(
        examples=["Replacing the lamps of the cabinet"], description="empty for who may not see names"
    )
    author: str | None = Field(examples=["Rima"], description="null for who may not see names")
    created_at: Instant
    state: Literal["planned", "running", "over", "cancelled"]
    plan: int | None = Field(default=None, description="the plan that it came from, of those that come again")


class NewWindow(BaseModel):
    """A device or a municipality, until when, and what is done there."""

    device: str | None = Field(default=None, max_length=64, examples=["light-0042"])
    municipality: str | None = Field(default=None, max_length=32)
    from_at: Asked | None = Field(default=None, description="now without it")
    until_at: Asked = Field(description="not included; at most 366 days after the beginning")
    reason: str = Field(
        min_length=1, max_length=windows.REASON_LENGTH, pattern=NO_CONTROL, examples=["Washing the bins"]
    )


@router.get("/maintenance", response_model=Page[WindowOut], summary="List maintenance windows")
async def list_windows(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    device: Annotated[str | None, Query(max_length=64, description="only those that cover it")] = None,
    municipality: Annotated[str | None, Query(max_length=32, description="over it and its devices")] = None,
    over: Annotated[bool, Query(description="those that have ended too")] = False,
    after: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="cursor")] = None,
    limit: Limit = 100,
) -> Response:
    """Return windows that run or are planned, in the order they were planned."""
    await check_place(connection, identity, Permission.READ, device, municipality)
    found = await windows.list_windows(
        connection,
        now=context.now(),
        device=device,
        municipality=municipality,
        over=over,
        after=after,
        limit=limit + 1,
        within=identity.towns(Permission.READ),
    )
    items = [_out(window, identity) for window in found]
    return pages.answer(request, items, limit=limit, cursor=("after", "id"))


@router.post("/maintenance", status_code=201, summary="Plan a maintenance window")
async def add_window(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: NewWindow,
) -> WindowOut:
    """Plan a window: rules do not look at readings observed in it, and nobody is missed meanwhile."""
    await check_place(connection, identity, Permission.PLAN_MAINTENANCE, body.device, body.municipality)

    async def work() -> WindowOut:
        return _out(
            await windows.add_window(connection, **body.model_dump(), by=actor, now=context.now()),
            identity,
        )

    planned = await command.once(WindowOut, work, body)
    response.headers["Location"] = f"{request.url.path}/{planned.id}"
    return planned


@router.get("/maintenance/{window:number}", summary="One maintenance window")
async def get_window(
    window: Number, context: UsesContext, connection: UsesConnection, identity: UsesIdentity
) -> WindowOut:
    """Return one window."""
    return _out(await windows.get_window(connection, window, now=context.now()), identity)


@router.post(
    "/maintenance/{window:number}/end",
    responses={409: {"description": "it is over already"}},
    summary="End a maintenance window now",
)
async def end_window(
    window: Number,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> WindowOut:
    """End a window that runs, or take back one that has not begun; rules look again from here on."""
    return _out(await windows.end_window(connection, window, by=actor, now=context.now()), identity)


async def check_place(
    connection: Connection,
    identity: Identity,
    permission: Permission,
    device: str | None,
    municipality: str | None,
) -> None:
    """Refuse what lies where the caller may not do it."""
    if device is not None:
        await in_town_of_device(connection, identity, permission, device)
    if municipality is not None:
        in_town(identity, permission, municipality, NotFound("municipality", municipality))


def _out(window: PlannedWindow, identity: Identity) -> WindowOut:
    shown = WindowOut(**{name: getattr(window, name) for name in WindowOut.model_fields})
    if identity.may_in(Permission.READ_NAMES, window.town):
        return shown
    return shown.model_copy(update={"author": None, "reason": ""})
