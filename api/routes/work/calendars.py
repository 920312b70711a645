"""Working calendars: hours, single days, Ramadan; and whether rules make orders."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, BeforeValidator, Field, StrictBool

from api.author import UsesActor
from api.context import UsesConnection, UsesContext
from api.schemas.words import NO_CONTROL
from store.connection import Connection
from work.calendars import editing
from work.calendars.hours import WEEKDAYS, parse_hours, parse_week
from work.calendars.shown import shown
from work.calendars.stored import StoredCalendar
from work.rounds import by_rule

router = APIRouter(prefix="/municipalities/{municipality}", tags=["work"])

Town = Annotated[str, Path(max_length=32, examples=["tripoli"])]
HOURS = r"^[0-9:,\- a-z]{1,200}$"
Language = Annotated[Literal["en", "fr", "ar"], Query(description="of the names of public holidays")]


def written_day(value: object) -> object:
    """Refuse bare numbers, which pydantic takes for seconds since 1970."""
    if value is not None and not isinstance(value, date) and not (isinstance(value, str) and "-" in value):
        raise ValueError("write a day as 2026-03-01")
    return value


Day = Annotated[date, BeforeValidator(written_day)]


class CalendarDayOut(BaseModel):
    """A day that is not like its weekday."""

    day: date
    working: bool
    name: str = Field(examples=["Eid al-Fitr"])
    by_hand: bool = Field(description="somebody entered it; else it is a public holiday")


class RamadanOut(BaseModel):
    """When Ramadan is."""

    year: int = Field(examples=[1447], description="of the Hijri calendar")
    first: date
    last: date
    by_hand: bool = Field(description="somebody entered it; else by the calendar of Umm al-Qura")


class CalendarOut(BaseModel):
    """When people of a municipality work, by its clock."""

    municipality: str
    time_zone: str = Field(examples=["Africa/Casablanca"])
    hours: dict[str, str] = Field(examples=[{"mon": "08:00-16:00", "sun": "rest"}])
    default_hours: bool
    ramadan_hours: str | None = Field(description="of a day in Ramadan; null: the same hours as else")
    days: list[CalendarDayOut] = Field(description="of two years from today")
    ramadan: list[RamadanOut]


class CalendarHours(BaseModel):
    """In which hours people work."""

    hours: dict[str, Annotated[str, Field(pattern=HOURS)]] | None = Field(
        default=None,
        max_length=7,
        examples=[{"mon": "08:00-12:00,13:00-16:00", "fri": "08:00-11:00"}],
        description=f"{', '.join(WEEKDAYS)}; a day left out is one of rest; null: the default",
    )
    ramadan_hours: str | None = Field(
        default=None,
        pattern=HOURS,
        examples=["09:00-14:00"],
        description="of a day in Ramadan; `same`: the same as else; null: the default",
    )


class CalendarDayIn(BaseModel):
    """Whether people work on a day."""

    working: StrictBool
    name: str = Field(default="", max_length=editing.NAME_LENGTH, pattern=NO_CONTROL, examples=["Eid"])


class RamadanIn(BaseModel):
    """When Ramadan was announced."""

    first: Day = Field(examples=["2026-02-18"])
    last: Day = Field(examples=["2026-03-19"])


class RuleOrders(BaseModel):
    """Whether rules that ask for work make orders of their alerts, from now on."""

    on: StrictBool


@router.get("/calendar", summary="When people of a municipality work")
async def get_calendar(
    municipality: Town, context: UsesContext, connection: UsesConnection, language: Language = "en"
) -> CalendarOut:
    """Return hours, the days that are not like their weekday, and when Ramadan is."""
    found = await editing.calendar_of(connection, municipality)
    return await _out(connection, found, context.real_now(), language)


@router.put("/calendar", summary="Say in which hours people work")
async def put_hours(
    municipality: Town,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    body: CalendarHours,
) -> CalendarOut:
    """Set the hours of each weekday and those of Ramadan; deadlines of open orders follow within seconds."""
    hours, in_ramadan = body.hours, body.ramadan_hours
    changed = await editing.set_hours(
        connection,
        municipality,
        hours=None if hours is None else parse_week(hours),
        ramadan_hours=_in_ramadan(in_ramadan),
        by=actor,
        now=context.real_now(),
    )
    return await _out(connection, changed, context.real_now(), "en")


def _in_ramadan(text: str | None) -> tuple[tuple[int, int], ...] | None:
    if text is None:
        return None
    return () if text == "same" else tuple(parse_hours(text, "ramadan_hours"))


@router.put("/calendar/days/{day}", summary="Make a day one of rest, or of work")
async def put_day(
    municipality: Town,
    day: Day,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    body: CalendarDayIn,
) -> CalendarOut:
    """Add a holiday that was announced, or take away one that did not come."""
    now = context.real_now()
    changed = await editing.put_day(
        connection, municipality, day, working=body.working, name=body.name, by=actor, now=now
    )
    return await _out(connection, changed, now, "en")


@router.delete("/calendar/days/{day}", summary="Take back what was said of a day")
async def remove_day(
    municipality: Town, day: Day, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> CalendarOut:
    """Let the day be as it is foreseen."""
    now = context.real_now()
    changed = await editing.remove_day(connection, municipality, day, by=actor, now=now)
    return await _out(connection, changed, now, "en")


HijriYear = Annotated[int, Path(ge=1343, le=1500, examples=[1447])]


@router.put("/calendar/ramadan/{year:number}", summary="Say when Ramadan was announced")
async def put_ramadan(
    municipality: Town,
    year: HijriYear,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    body: RamadanIn,
) -> CalendarOut:
    """Set the first and the last day of Ramadan of a Hijri year."""
    now = context.real_now()
    days = (body.first, body.last)
    changed = await editing.put_ramadan(connection, municipality, days, by=actor, now=now, year=year)
    return await _out(connection, changed, now, "en")


@router.delete("/calendar/ramadan/{year:number}", summary="Take back when Ramadan was announced")
async def remove_ramadan(
    municipality: Town, year: HijriYear, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> CalendarOut:
    """Let Ramadan be when the calendar of Umm al-Qura has it."""
    now = context.real_now()
    changed = await editing.remove_ramadan(connection, municipality, year, by=actor, now=now)
    return await _out(connection, changed, now, "en")


@router.get("/work-by-rule", summary="Whether rules make orders")
async def get_by_rule(municipality: Town, connection: UsesConnection) -> RuleOrders:
    """Tell whether rules that ask for work make orders here."""
    return RuleOrders(on=await by_rule.is_on(connection, municipality))


@router.put("/work-by-rule", summary="Let rules make orders, or not")
async def put_by_rule(
    municipality: Town, context: UsesContext, connection: UsesConnection, actor: UsesActor, body: RuleOrders
) -> RuleOrders:
    """Switch it on, for alerts from now on, or off; safe to repeat."""
    await by_rule.switch(connection, municipality, on=body.on, by=actor, now=context.now())
    return body


async def _out(connection: Connection, found: StoredCalendar, now: int, language: str) -> CalendarOut:
    return CalendarOut.model_validate(asdict(await shown(connection, found, now, language)))
