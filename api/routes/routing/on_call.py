"""On-call schedules: who is on call, by turns or standing in; as a calendar, and from one."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response

from api.access import in_town
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Limit, Page
from api.schemas.routing import (
    CalendarImportOut,
    ScheduleChanges,
    ScheduleIn,
    ScheduleOut,
    ScheduleWithShiftsOut,
    ShiftOut,
    StandInIn,
    StandInOut,
)
from devices.instants import to_datetime
from devices.registry.errors import NotFound
from notify.routing import calendar_exchange, overrides, schedules
from notify.routing.overrides import NewStandIn
from notify.routing.schedules import NewSchedule, OnCallSchedule
from people.roles import Permission

router = APIRouter(prefix="/on-call", tags=["notifications"])

ScheduleName = Annotated[str, Path(max_length=63)]
SHOWN = timedelta(days=28)
CALENDAR = "text/calendar"
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "an iCalendar file; the title or an attendee of each entry names who stands in",
        "content": {CALENDAR: {"schema": {"type": "string"}}},
    }
}


@router.get("", response_model=Page[ScheduleOut], summary="List on-call schedules by name")
async def list_schedules(
    request: Request,
    connection: UsesConnection,
    identity: UsesIdentity,
    after: Annotated[str | None, Query(max_length=63, description="cursor")] = None,
    limit: Limit = 100,
) -> Response:
    """Return schedules of the caller's municipalities, and those of all."""
    within = identity.towns(Permission.READ_NAMES)
    found = await schedules.list_schedules(connection, within=within, after=after, limit=limit + 1)
    items = [ScheduleOut(**_members(one)) for one in found]
    return pages.answer(request, items, limit=limit, cursor=("after", "name"))


@router.post("", status_code=201, summary="Add an on-call schedule")
async def add_schedule(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: ScheduleIn,
) -> ScheduleOut:
    """Add a schedule; its people hold a role in its municipality."""
    in_town(
        identity,
        Permission.EDIT_ROUTES,
        body.municipality,
        NotFound("municipality", body.municipality or ""),
    )
    new = NewSchedule(**body.model_dump())
    added = await schedules.add_schedule(connection, new, context.real_now(), by=actor)
    response.headers["Location"] = f"{request.url.path}/{added.name}"
    return _tagged(response, added)


@router.get(
    "/{schedule}.ics",
    response_class=Response,
    responses={200: {"content": {CALENDAR: {"schema": {"type": "string"}}}, "description": "iCalendar"}},
    summary="Who is on call, as a calendar",
)
async def get_calendar(schedule: ScheduleName, context: UsesContext, connection: UsesConnection) -> Response:
    """Return the shifts of the last week and of the next half year as iCalendar."""
    found = await schedules.get_schedule(connection, schedule)
    body = await calendar_exchange.exported(connection, found, context.now())
    return Response(body, media_type=CALENDAR, headers={"Cache-Control": pages.CACHE})


@router.get("/{schedule}", summary="One on-call schedule, and who is on call")
async def get_schedule(
    schedule: ScheduleName, response: Response, context: UsesContext, connection: UsesConnection
) -> ScheduleWithShiftsOut:
    """Return a schedule with its ETag, the shifts of the next four weeks, and who stands in."""
    found = await schedules.get_schedule(connection, schedule)
    now = to_datetime(context.now())
    shifts = await overrides.shifts(connection, found, now, now + SHOWN)
    standing_in = await overrides.list_stand_ins(connection, found, context.now())
    _tagged(response, found)
    return ScheduleWithShiftsOut(
        **_members(found),
        on_call=shifts[0].person,
        shifts=[ShiftOut(**{n: getattr(s, n) for n in ShiftOut.model_fields}) for s in shifts],
        overrides=[_stand_in(one) for one in standing_in],
    )


@router.patch("/{schedule}", summary="Change an on-call schedule")
async def edit_schedule(
    schedule: ScheduleName,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    body: ScheduleChanges,
    if_match: Annotated[str | None, Header(description='ETag of the version to change, or "*"')] = None,
) -> ScheduleOut:
    """Change a schedule, unless somebody else changed it since the version named by If-Match."""
    edited = await schedules.edit_schedule(
        connection,
        schedule,
        body.model_dump(exclude_unset=True),
        context.real_now(),
        by=actor,
        version=pages.wanted_version(if_match),
    )
    return _tagged(response, edited)


@router.delete("/{schedule}", status_code=204, summary="Remove an on-call schedule")
async def remove_schedule(
    schedule: ScheduleName, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> None:
    """Remove a schedule that no route names, and who stands in on it."""
    await schedules.remove_schedule(connection, schedule, context.real_now(), by=actor)


@router.post("/{schedule}/overrides", status_code=201, summary="Say who stands in")
async def add_override(
    schedule: ScheduleName,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    body: StandInIn,
) -> StandInOut:
    """Have somebody stand in for the turns; of several at an instant the newest counts."""
    found = await schedules.get_schedule(connection, schedule)
    new = NewStandIn(**body.model_dump())
    (added,) = await overrides.add_stand_ins(connection, found, [new], context.real_now(), by=actor)
    return _stand_in(added)


@router.delete(
    "/{schedule}/overrides/{override:number}", status_code=204, summary="Take back that somebody stands in"
)
async def remove_override(
    schedule: ScheduleName,
    override: Annotated[int, Path(ge=1, le=2**31 - 1)],
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
) -> None:
    """Have the turns count again."""
    found = await schedules.get_schedule(connection, schedule)
    await overrides.remove_stand_in(connection, found, override, context.real_now(), by=actor)


@router.post("/{schedule}/import", openapi_extra=BODY, summary="Read from a calendar who stands in")
async def import_calendar(
    schedule: ScheduleName,
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
) -> CalendarImportOut:
    """Have people stand in by the entries of a calendar, all or none; an entry read again is replaced."""
    found = await schedules.get_schedule(connection, schedule)
    added = await calendar_exchange.imported(
        connection, found, await request.body(), context.real_now(), by=actor
    )
    return CalendarImportOut(overrides=[_stand_in(one) for one in added])


def _stand_in(one: overrides.StandIn) -> StandInOut:
    return StandInOut(**{name: getattr(one, name) for name in StandInOut.model_fields})


def _members(found: OnCallSchedule) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ScheduleOut.model_fields}


def _tagged(response: Response, found: OnCallSchedule) -> ScheduleOut:
    response.headers["ETag"] = f'"{found.version}"'
    response.headers["Cache-Control"] = pages.CACHE
    return ScheduleOut(**_members(found))
