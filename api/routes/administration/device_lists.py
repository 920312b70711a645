"""A list of devices as CSV: what each line would do, then all of it or nothing."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api.access import forbidden
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http.problems import Problem
from api.idempotency import UsesChangeRequest
from devices.registry import csv_import, csv_rows
from devices.registry.csv_import import ImportPlan
from devices.registry.csv_rows import CsvRows, LineProblem
from people.identity import Identity
from people.roles import Permission

router = APIRouter(tags=["devices"])

EXAMPLE = "name,kind,municipality,title,lat,lon\nbin-0007,bin,tripoli,Al-Tall square,34.4367,35.8497\n"
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "CSV in UTF-8 with a header, at most 8 MiB; see docs/devices.md",
        "content": {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}
MOST_ROWS = 20_000
MOST_LISTED = 500


class LineProblemOut(BaseModel):
    """Why a line is not accepted."""

    line: int = Field(description="from 1, the header's")
    field: str = Field(examples=["lat"], description="empty: the line as a whole")
    message: str


class DeviceListOut(BaseModel):
    """What the lines of a list do; nothing is written while `written` is false."""

    written: bool
    add: int
    edit: int
    unchanged: int
    added: list[str] = Field(description="names of those to add, at most 500")
    edited: list[str] = Field(description="names of those to change, at most 500")
    problems: list[LineProblemOut] = Field(description="at most 500, by line")
    refused: int = Field(description="how many problems there are")


@router.post("/devices/import", openapi_extra=BODY, summary="Register a list of devices from CSV")
async def import_devices(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
    dry_run: Annotated[bool, Query(description="say what each line would do, and write nothing")] = False,
    keep_good: Annotated[bool, Query(description="write the good lines although others are not")] = False,
    update: Annotated[bool, Query(description="change devices that are registered already")] = False,
) -> DeviceListOut:
    """Register every device of a list, or none where a line has a problem."""
    body = await request.body()
    read = await asyncio.to_thread(csv_rows.read, body, context.kinds)
    if len(read.rows) > MOST_ROWS:
        detail = f"{len(read.rows)} lines; at most {MOST_ROWS} at a time: send the list in parts"
        raise Problem(422, "invalid", detail)

    async def work() -> DeviceListOut:
        planned = await csv_import.plan(connection, _own(identity, read), update=update)
        _refuse_moves(identity, planned)
        written = not dry_run and planned.steps > 0 and (keep_good or not planned.problems)
        if written:
            await csv_import.carry_out(connection, context.kinds, planned, context.now, by=actor)
        return _out(planned, written=written)

    # The same list asked for otherwise is another request.
    return await command.once(DeviceListOut, work, f"{dry_run} {keep_good} {update}\n".encode() + body)


def _own(identity: Identity, read: CsvRows) -> CsvRows:
    """Return the rows of municipalities in which the caller manages devices; the others are problems."""
    rows, problems = [], list(read.problems)
    for row in read.rows:
        if identity.may_in(Permission.MANAGE_DEVICES, row.new.municipality):
            rows.append(row)
        else:
            message = f"no municipality {row.new.municipality!r} in which you manage devices"
            problems.append(LineProblem(line=row.line, field="municipality", message=message))
    return CsvRows(rows=rows, problems=problems)


def _refuse_moves(identity: Identity, planned: ImportPlan) -> None:
    """Refuse to take a device away from a municipality of somebody else."""
    for device, _ in planned.edit:
        if not identity.may_in(Permission.MANAGE_DEVICES, device.municipality):
            raise forbidden(Permission.MANAGE_DEVICES, f"where {device.name} stands")


def _out(planned: ImportPlan, *, written: bool) -> DeviceListOut:
    return DeviceListOut(
        written=written,
        add=len(planned.add),
        edit=len(planned.edit),
        unchanged=planned.unchanged,
        added=[row.new.name for row in planned.add[:MOST_LISTED]],
        edited=[device.name for device, _ in planned.edit[:MOST_LISTED]],
        problems=[
            LineProblemOut(line=p.line, field=p.field, message=p.message)
            for p in sorted(planned.problems, key=lambda p: p.line)[:MOST_LISTED]
        ],
        refused=len(planned.problems),
    )
