"""Commands to many devices: asked for by one administrator, approved by another. Persons only, no tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import in_town
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Limit, Page
from api.http.times import Instant
from api.idempotency import UsesChangeRequest
from api.schemas.words import NO_CONTROL
from devices.commands import requests
from devices.commands.new_command import LONGEST_S, NewCommand
from devices.commands.requests import CommandRequest, NewRequest
from devices.registry.errors import NotFound
from devices.sources.downlinks import as_downlinks
from people.identity import Identity
from people.roles import Permission

router = APIRouter(tags=["commands"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class RequestIn(BaseModel):
    """A command to all devices of a kind in a municipality, in a district of it, or below a parent."""

    model_config = ConfigDict(extra="forbid")

    municipality: str = Field(max_length=32, examples=["tripoli"])
    kind: str = Field(max_length=31, examples=["light"])
    district: str | None = Field(default=None, max_length=64, description="code of a district")
    parent: str | None = Field(default=None, max_length=64, description="what feeds them, such as a circuit")
    name: str = Field(max_length=64, examples=["report_now"])
    args: dict[str, Any] = Field(default={}, examples=[{}])
    expires_after_s: int | None = Field(
        default=None,
        gt=0,
        le=LONGEST_S,
        description="how long it may wait, from the approval on; null: 300, or a day where a network server"
        " sends it",
    )
    reason: str = Field(min_length=1, max_length=500, pattern=NO_CONTROL, examples=["check after the storm"])


class RequestOut(BaseModel):
    """One request as it stands."""

    id: int
    municipality: str
    kind: str
    district: str | None
    parent: str | None
    name: str
    args: dict[str, Any]
    expires_after_s: int | None
    reason: str
    state: str = Field(examples=["waiting"], description="waiting, approved, refused or lapsed (after a day)")
    devices: int = Field(description="for how many devices: when asked for, then when approved")
    left_out: int = Field(description="devices that took none when it was approved, see docs/commands.md")
    requested_by: str | None
    requested_at: Instant
    decided_by: str | None
    decided_at: Instant | None
    answers: dict[str, int] = Field(description="of its commands, how many are in each status")
    own: bool = Field(description="the caller asked for it, so that another one approves it")


@router.get("/command-requests", response_model=Page[RequestOut], summary="Requests for commands to many")
async def list_command_requests(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="cursor")] = None,
    limit: Limit = 100,
) -> Response:
    """Return what was asked for, the newest first."""
    within = identity.towns(Permission.READ)
    found = await requests.list_requests(
        connection, context.now, within=within, before=before, limit=limit + 1
    )
    return pages.answer(request, [_out(one, identity) for one in found], limit=limit, cursor=("before", "id"))


@router.post("/command-requests", status_code=201, summary="Ask for a command to many devices")
async def ask_command_request(
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    change: UsesChangeRequest,
    body: RequestIn,
) -> RequestOut:
    """Ask; nothing is sent until another administrator approves."""
    missing = NotFound("municipality", body.municipality)
    in_town(identity, Permission.COMMAND_MANY, body.municipality, missing)

    async def work() -> RequestOut:
        asked = await requests.ask(
            connection, context.kinds, NewRequest(**body.model_dump()), context.now, by=actor
        )
        return _out(asked, identity)

    return await change.once(RequestOut, work, body)


@router.post(
    "/command-requests/{command_request}/approve",
    responses={409: {"description": "it is decided already, has lapsed, or the caller asked for it"}},
    summary="Approve a command to many devices",
)
async def approve_command_request(
    command_request: Number,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> RequestOut:
    """Give the command to every device that is meant now; who asked for it cannot do so."""
    profiles = await context.profiles_now()

    async def prepare(commands: Sequence[NewCommand]) -> list[NewCommand]:
        return (await as_downlinks(connection, commands, profiles, context.now))[0]

    done = await requests.approve(
        connection, context.kinds, command_request, context.now, by=actor, new_id=uuid4, prepare=prepare
    )
    return _out(done, identity)


@router.post(
    "/command-requests/{command_request}/refuse",
    responses={409: {"description": "it is decided already, or has lapsed"}},
    summary="Refuse a command to many devices, or take it back",
)
async def refuse_command_request(
    command_request: Number,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> RequestOut:
    """Say no; nothing is sent."""
    return _out(await requests.refuse(connection, command_request, context.now, by=actor), identity)


def _out(found: CommandRequest, identity: Identity) -> RequestOut:
    known = {name: getattr(found, name) for name in RequestOut.model_fields if name != "own"}
    if not identity.may_in(Permission.READ_NAMES, found.municipality):
        known |= {"requested_by": None, "decided_by": None}
    return RequestOut(**known, own=found.requested_by_id == identity.principal)
