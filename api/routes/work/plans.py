"""Preventive plans: list, make, end; and devices that somebody goes to again and again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from alerts.transition import Severity
from api.access import in_town
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Limit, Page
from api.http.times import Instant
from api.idempotency import UsesChangeRequest
from api.routes.maintenance import check_place
from api.routes.work.calendars import Day
from api.schemas.words import NO_CONTROL
from devices.registry.errors import NotFound
from people.identity import Identity
from people.roles import Permission
from work.clocks import repeats
from work.orders import TITLE_LENGTH
from work.preventive import plans
from work.preventive.plan_times import PlanUnit
from work.preventive.plans import NewPlan, WorkPlan

router = APIRouter(tags=["work"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
MOST_DAYS = 3_660


class WorkPlanIn(BaseModel):
    """Preventive work on a device, or on all of a kind in a municipality."""

    title: str = Field(min_length=1, max_length=TITLE_LENGTH, pattern=NO_CONTROL, examples=["Wash the bin"])
    every: float = Field(gt=0, le=1e9, examples=[6], description="weeks, months, or what a counter counts")
    unit: PlanUnit = Field(examples=["months"])
    device: str | None = Field(default=None, max_length=64)
    kind: str | None = Field(default=None, max_length=31, examples=["bin"])
    municipality: str | None = Field(default=None, max_length=32, examples=["tripoli"])
    measurement: str | None = Field(default=None, max_length=31, description="a counter of the kind")
    first_day: Day | None = Field(default=None, description="today without it; not for counters")
    ahead: float | None = Field(
        default=None, ge=0, le=1e9, description="days, or units of the counter; 7, or 2 %, without it"
    )
    severity: Severity = Severity.MINOR
    team: str | None = Field(default=None, max_length=63, description="to whom its orders are given")


class WorkPlanOut(BaseModel):
    """A preventive plan."""

    id: int
    municipality: str
    device: str | None
    kind: str | None
    title: str
    severity: Severity
    every: float
    unit: PlanUnit
    measurement: str | None
    first_day: date | None
    ahead: float
    team: str | None
    author: str | None = Field(description="null for who may not see names")
    created_at: Instant
    ended_at: Instant | None
    ended_by: str | None = Field(description="null also for who may not see names")
    open_orders: int


class RepeatOut(BaseModel):
    """A device that somebody goes to again and again."""

    municipality: str
    device: str
    kind: str
    rule: str | None = Field(description="null: orders that were not made from an alert")
    orders: int
    reopened: int = Field(description="how often one was reported done although its condition went on")
    first_at: Instant
    last_at: Instant
    last_order: int


@router.get("/work-plans", response_model=Page[WorkPlanOut], summary="List preventive plans")
async def list_plans(
    request: Request,
    connection: UsesConnection,
    identity: UsesIdentity,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    ended: Annotated[bool, Query(description="those that somebody has ended too")] = False,
    after: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="cursor")] = None,
    limit: Limit = 100,
) -> Response:
    """Return plans in the order they were made."""
    if municipality is not None:
        in_town(identity, Permission.READ, municipality, NotFound("municipality", municipality))
    found = await plans.list_work_plans(
        connection,
        municipality=municipality,
        ended=ended,
        within=identity.towns(Permission.READ),
        after=after,
        limit=limit + 1,
    )
    return pages.answer(request, [_out(p, identity) for p in found], limit=limit, cursor=("after", "id"))


@router.post("/work-plans", status_code=201, summary="Make a preventive plan")
async def add_plan(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: WorkPlanIn,
) -> WorkPlanOut:
    """Make a plan; its orders come ahead of their day, or of what the counter shows."""
    await check_place(connection, identity, Permission.DIRECT_WORK, body.device, body.municipality)

    async def work() -> WorkPlanOut:
        new = NewPlan(**body.model_dump())
        made = await plans.add_work_plan(connection, new, context.kinds, by=actor, now=context.now())
        return _out(made, identity)

    made = await command.once(WorkPlanOut, work, body)
    response.headers["Location"] = f"{request.url.path}/{made.id}"
    return made


@router.get("/work-plans/{work_plan:number}", summary="One preventive plan")
async def get_plan(work_plan: Number, connection: UsesConnection, identity: UsesIdentity) -> WorkPlanOut:
    """Return one plan, also one that has ended."""
    return _out(await plans.get_work_plan(connection, work_plan), identity)


@router.post(
    "/work-plans/{work_plan:number}/end",
    responses={409: {"description": "it has ended already"}},
    summary="End a preventive plan",
)
async def end_plan(
    work_plan: Number,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> WorkPlanOut:
    """End a plan: no order comes any more; those that are open stay."""
    ended = await plans.end_work_plan(connection, work_plan, by=actor, now=context.now())
    return _out(ended, identity)


@router.get(
    "/work-repeats", response_model=dict[str, list[RepeatOut]], summary="Devices with many work orders"
)
async def list_repeats(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    least: Annotated[int, Query(ge=2, le=1000, description="so many orders at least")] = repeats.LEAST,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="made in so many days")] = repeats.WITHIN.days,
    limit: Limit = 100,
) -> Response:
    """Return devices with several orders of a rule, as `{"items": [...]}`, the most first."""
    if municipality is not None:
        in_town(identity, Permission.READ, municipality, NotFound("municipality", municipality))
    found = await repeats.list_repeats(
        connection,
        now=context.now(),
        municipality=municipality,
        least=least,
        within=timedelta(days=days),
        towns=identity.towns(Permission.READ),
        limit=limit,
    )
    items = [
        RepeatOut(**{name: getattr(one, name) for name in RepeatOut.model_fields}).model_dump(mode="json")
        for one in found
    ]
    return pages.tagged(request, msgspec.json.encode({"items": items}))


def _out(plan: WorkPlan, identity: Identity) -> WorkPlanOut:
    shown = WorkPlanOut(**{name: getattr(plan, name) for name in WorkPlanOut.model_fields})
    if identity.may_in(Permission.READ_NAMES, plan.municipality):
        return shown
    return shown.model_copy(update={"title": "", "author": None, "ended_by": None})
