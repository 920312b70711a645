"""Notes on a device: read, and written, by who may see what people write."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.author import UsesActor
from api.context import UsesConnection, UsesContext
from api.http import pages
from api.http.pages import Limit, Page
from api.http.times import Instant
from api.idempotency import UsesChangeRequest
from api.schemas.words import NO_CONTROL
from devices.registry import notes
from devices.registry.notes import NOTE_LENGTH, DeviceNote

router = APIRouter(tags=["devices"])

Name = Annotated[str, Path(max_length=64)]


class NoteIn(BaseModel):
    """What is written about a device."""

    model_config = ConfigDict(extra="forbid")

    body: str = Field(
        min_length=1, max_length=NOTE_LENGTH, pattern=NO_CONTROL, examples=["The key hangs at the bakery."]
    )


class NoteOut(BaseModel):
    """What somebody wrote about a device, and when."""

    id: int
    device: str = Field(examples=["bin-0007"])
    author: str = Field(examples=["rima"])
    written_at: Instant
    body: str


@router.get("/devices/{device}/notes", response_model=Page[NoteOut], summary="Read the notes on a device")
async def list_device_notes(
    request: Request,
    device: Name,
    connection: UsesConnection,
    before: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="cursor: the last id of the page before")
    ] = None,
    limit: Limit = 100,
) -> Response:
    """Return what people wrote about a device, the last first."""
    found = await notes.list_notes(connection, device, before=before, limit=limit + 1)
    return pages.answer(request, [_out(one) for one in found], limit=limit, cursor=("before", "id"))


@router.post("/devices/{device}/notes", status_code=201, summary="Write a note on a device")
async def write_device_note(
    device: Name,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: NoteIn,
) -> NoteOut:
    """Keep what is written with its author and instant; it is neither changed nor taken away."""

    async def work() -> NoteOut:
        return _out(await notes.write_note(connection, device, body.body, context.now, by=actor))

    return await command.once(NoteOut, work, body)


def _out(note: DeviceNote) -> NoteOut:
    return NoteOut(**{name: getattr(note, name) for name in NoteOut.model_fields})
