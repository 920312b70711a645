"""Maintenance that comes again: which plans there are, make one, end one."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, Field

from api.access import in_town
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Limit, Page
from api.http.times import Instant
from api.idempotency import UsesChangeRequest
from api.routes.maintenance import check_place
from api.schemas.words import NO_CONTROL
from devices.registry.errors import NotFound
from people.identity import Identity
from people.roles import Permission
from rules.maintenance import plans
from rules.maintenance.plans import MaintenancePlan
from rules.maintenance.recurrence import Recurrence
from rules.maintenance.windows import REASON_LENGTH

router = APIRouter(tags=["maintenance"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
UNTIL = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"


def _text(value: object) -> object:
    # pydantic takes bare numbers for seconds since 1970.
    if value is not None and not isinstance(value, str | date):
        raise ValueError("write a day as 2026-03-01")
    return value


Day = Annotated[date, BeforeValidator(_text)]


class MaintenancePlanOut(BaseModel):
    """Windows that come again, by the clock of the municipality."""

    id: int
    device: str | None
    municipality: str | None = Field(examples=["tripoli"])
    time_zone: str = Field(examples=["Asia/Beirut"])
    every: Literal["week", "month"]
    days: list[int] = Field(examples=[[1, 4]], description="of the week (1 is Monday), or of the month")
    from_time: str = Field(examples=["02:00"])
    until_time: str = Field(
        examples=["04:00"], description="not included; at or before from_time: the next day"
    )
    from_date: date | None = Field(description="the first day on which one begins; null: from now on")
    until_date: date | None = Field(description="the last day on which one begins; null: for ever")
    reason: str = Field(description="empty for who may not see names")
    author: str | None = Field(description="null for who may not see names")
    created_at: Instant
    ended_at: Instant | None
    ended_by: str | None = Field(description="null also for who may not see names")
    state: Literal["active", "over"]
    next_from_at: Instant | None = Field(description="of the window that runs, or else of the next one")
    next_until_at: Instant | None


class NewMaintenancePlan(BaseModel):
    """A device or a municipality, on which days, from when to when by its clock, and what is done there."""

    device: str | None = Field(default=None, max_length=64)
    municipality: str | None = Field(default=None, max_length=32, examples=["tripoli"])
    every: Literal["week", "month"]
    days: list[int] = Field(
        min_length=1,
        max_length=31,
        examples=[[1, 4]],
        description="of the week (1 is Monday), or of the month; a month without the day has no window",
    )
    from_time: str = Field(pattern=TIME, examples=["02:00"])
    until_time: str = Field(
        pattern=UNTIL, examples=["04:00"], description="not included; at or before from_time: the next day"
    )
    from_date: Day | None = Field(default=None, description="the first day; from now on without it")
    until_date: Day | None = Field(default=None, description="the last day; without it for ever")
    reason: str = Field(
        min_length=1, max_length=REASON_LENGTH, pattern=NO_CONTROL, examples=["The grid is serviced"]
    )

    def as_recurrence(self) -> Recurrence:
        """Return when the windows come."""
        return Recurrence(
            every=self.every,
            days=sorted(self.days),
            from_time=time.fromisoformat(self.from_time),
            until_time=time.fromisoformat(self.until_time.replace("24:00", "00:00")),
            from_date=self.from_date,
            until_date=self.until_date,
        )


@router.get(
    "/maintenance-plans", response_model=Page[MaintenancePlanOut], summary="List maintenance that comes again"
)
async def list_plans(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    municipality: Annotated[str | None, Query(max_length=32, description="over it and its devices")] = None,
    ended: Annotated[bool, Query(description="those that somebody has ended too")] = False,
    after: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="cursor")] = None,
    limit: Limit = 100,
) -> Response:
    """Return plans in the order they were made."""
    if municipality is not None:
        in_town(identity, Permission.READ, municipality, NotFound("municipality", municipality))
    found = await plans.list_plans(
        connection,
        now=context.now(),
        municipality=municipality,
        ended=ended,
        after=after,
        limit=limit + 1,
        within=identity.towns(Permission.READ),
    )
    return pages.answer(request, [_out(p, identity) for p in found], limit=limit, cursor=("after", "id"))


@router.post("/maintenance-plans", status_code=201, summary="Plan maintenance that comes again")
async def add_plan(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: NewMaintenancePlan,
) -> MaintenancePlanOut:
    """Plan windows on days of the week or of the month, by the local clock whatever is done to it."""
    await check_place(connection, identity, Permission.PLAN_MAINTENANCE, body.device, body.municipality)

    async def work() -> MaintenancePlanOut:
        made = await plans.add_plan(
            connection,
            body.as_recurrence(),
            reason=body.reason,
            by=actor,
            now=context.now(),
            device=body.device,
            municipality=body.municipality,
        )
        return _out(made, identity)

    made = await command.once(MaintenancePlanOut, work, body)
    response.headers["Location"] = f"{request.url.path}/{made.id}"
    return made


@router.get("/maintenance-plans/{plan:number}", summary="One plan of maintenance that comes again")
async def get_plan(
    plan: Number, context: UsesContext, connection: UsesConnection, identity: UsesIdentity
) -> MaintenancePlanOut:
    """Return one plan, also one that has ended."""
    return _out(await plans.get_plan(connection, plan, now=context.now()), identity)


@router.post(
    "/maintenance-plans/{plan:number}/end",
    responses={409: {"description": "it has ended already"}},
    summary="End a plan now",
)
async def end_plan(
    plan: Number,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> MaintenancePlanOut:
    """End a plan and the window that runs by it; none comes any more."""
    return _out(await plans.end_plan(connection, plan, by=actor, now=context.now()), identity)


def _out(plan: MaintenancePlan, identity: Identity) -> MaintenancePlanOut:
    when = plan.recurrence
    said: dict[str, Any] = {
        "every": when.every,
        "days": list(when.days),
        "from_time": f"{when.from_time:%H:%M}",
        "until_time": f"{when.until_time:%H:%M}",
        "from_date": when.from_date,
        "until_date": when.until_date,
    }
    kept = {n: getattr(plan, n) for n in MaintenancePlanOut.model_fields if n not in said}
    shown = MaintenancePlanOut(**kept, **said)
    if identity.may_in(Permission.READ_NAMES, plan.town):
        return shown
    return shown.model_copy(update={"author": None, "reason": "", "ended_by": None})
