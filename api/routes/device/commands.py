"""Commands to one device: given, listed, and followed until they are settled."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Limit, Page
from api.idempotency import UsesChangeRequest
from api.schemas.commands import CommandOut, command_for, command_out
from devices.commands import answered, queue
from devices.commands.answered import CommandStatus
from devices.commands.new_command import EXPIRES_AFTER_S, LONGEST_S, new_command
from devices.registry.registry import get_device
from devices.sources.downlinks import prepared
from people.roles import Permission

router = APIRouter(tags=["commands"])

Name = Annotated[str, Path(max_length=64)]


class CommandIn(BaseModel):
    """What a device is to do."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=64, examples=["report_now"])
    args: dict[str, Any] = Field(default={}, examples=[{}], description="as its kind declares them")
    expires_after_s: int | None = Field(
        default=None,
        gt=0,
        le=LONGEST_S,
        description="for how long it may wait; null: 300, or a day where a network server sends it",
    )


@router.get("/devices/{device}/commands", response_model=Page[CommandOut], summary="Commands to a device")
async def list_device_commands(
    request: Request,
    device: Name,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    before: Annotated[UUID | None, Query(description="cursor: the last one of the page before")] = None,
    limit: Limit = 100,
) -> Response:
    """Return what a device was told, the last first."""
    known = await get_device(connection, device)
    found = await answered.list_commands(
        connection, device=known.name, before=before, limit=limit + 1, alive_after=context.alive_after()
    )
    items = [command_for(identity, command_out(one)) for one in found]
    return pages.answer(request, items, limit=limit, cursor=("before", "id"))


@router.post("/devices/{device}/commands", status_code=202, summary="Tell a device to do something")
async def give_command(
    device: Name,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    change: UsesChangeRequest,
    body: CommandIn,
) -> CommandOut:
    """Let a command wait for its device: sent at once where that listens, and never after it expired."""
    if (before := await change.answered(CommandOut, body)) is not None:
        return before
    known = await get_device(connection, device)
    kind = context.kinds.get(known.kind)
    new = new_command(
        known,
        kind,
        body.name,
        body.args,
        id=uuid4(),
        now=context.now,
        expires_after_s=body.expires_after_s or EXPIRES_AFTER_S,
    )
    profiles, patient = await context.profiles_now(), body.expires_after_s is None
    # A codec may take its time: no transaction waits for it.
    new = await prepared(connection, new, profiles, context.now, patient=patient)

    async def work() -> CommandOut:
        await queue.enqueue(connection, [new], context.now, by=actor)
        given = await answered.get_command(connection, new.id, alive_after=context.alive_after())
        return command_for(identity, command_out(given))

    return await change.once(CommandOut, work, body)


@router.get("/commands", response_model=Page[CommandOut], summary="Commands to all devices")
async def list_commands(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    command_request: Annotated[
        int | None, Query(alias="request", ge=1, le=2**63 - 1, description="only those that it gave")
    ] = None,
    status: Annotated[CommandStatus | None, Query(description="only those that stand so")] = None,
    before: Annotated[UUID | None, Query(description="cursor: the last one of the page before")] = None,
    limit: Limit = 100,
) -> Response:
    """Return commands, the last given first."""
    found = await answered.list_commands(
        connection,
        request=command_request,
        status=status,
        within=identity.towns(Permission.READ),
        before=before,
        limit=limit + 1,
        alive_after=context.alive_after(),
    )
    items = [command_for(identity, command_out(one)) for one in found]
    return pages.answer(request, items, limit=limit, cursor=("before", "id"))
