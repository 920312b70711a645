"""How soon work is due: targets that are set, the defaults, set one, take one back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, StrictBool

from alerts.transition import Severity
from api.access import in_town
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from devices.registry.errors import NotFound
from people.roles import Permission
from work.clocks import sla
from work.clocks.sla import LocalTarget, SlaTarget

router = APIRouter(prefix="/sla", tags=["work"])

LONGEST_S = sla.LONGEST.total_seconds()


class TargetIn(BaseModel):
    """How soon orders have to be accepted and done."""

    severity: Severity
    municipality: str | None = Field(default=None, max_length=32, description="null: all")
    kind: str | None = Field(default=None, max_length=31, description="null: every kind")
    response_s: float = Field(gt=0, le=LONGEST_S, examples=[3600], description="seconds until it is accepted")
    repair_s: float = Field(gt=0, le=LONGEST_S, examples=[28800], description="seconds until it is done")
    around_the_clock: StrictBool = Field(default=False, description="false: only working hours count")


class TargetOut(TargetIn):
    """A target, and whether it is one that nobody has set."""

    default: bool


@router.get("", response_model=dict[str, list[TargetOut]], summary="How soon work is due")
async def list_targets(
    request: Request,
    connection: UsesConnection,
    identity: UsesIdentity,
    municipality: Annotated[str | None, Query(max_length=32, description="and those of all")] = None,
) -> Response:
    """Return the defaults and what was set, as `{"items": [...]}`: the most particular one counts."""
    if municipality is not None:
        in_town(identity, Permission.READ, municipality, NotFound("municipality", municipality))
    defaults = [
        LocalTarget(municipality=None, kind=None, target=one, default=True) for one in sla.DEFAULTS.values()
    ]
    found = [
        one
        for one in [*defaults, *await sla.list_targets(connection)]
        if one.municipality is None
        or (municipality in (None, one.municipality) and identity.may_in(Permission.READ, one.municipality))
    ]
    return pages.tagged(
        request, msgspec.json.encode({"items": [_out(one).model_dump(mode="json") for one in found]})
    )


@router.put("", summary="Set how soon work is due")
async def put_target(
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: TargetIn,
) -> TargetOut:
    """Set a target in place of the one of the same severity, municipality and kind."""
    missing = NotFound("municipality", body.municipality or "")
    in_town(identity, Permission.SET_DEADLINES, body.municipality, missing)
    sla.check_kind(body.kind, context.kinds)
    target = SlaTarget(
        severity=body.severity,
        response=timedelta(seconds=body.response_s),
        repair=timedelta(seconds=body.repair_s),
        around_the_clock=body.around_the_clock,
    )
    new = LocalTarget(municipality=body.municipality, kind=body.kind, target=target)
    return _out(await sla.put_target(connection, new, by=actor, now=context.real_now()))


@router.delete("", status_code=204, summary="Take a target back")
async def drop_target(
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    severity: Severity,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    kind: Annotated[str | None, Query(max_length=31)] = None,
) -> None:
    """Let the more general target count again."""
    await sla.drop_target(
        connection, severity, municipality=municipality, kind=kind, by=actor, now=context.real_now()
    )


def _out(one: LocalTarget) -> TargetOut:
    return TargetOut(
        severity=one.target.severity,
        municipality=one.municipality,
        kind=one.kind,
        response_s=one.target.response.total_seconds(),
        repair_s=one.target.repair.total_seconds(),
        around_the_clock=one.target.around_the_clock,
        default=one.default,
    )
