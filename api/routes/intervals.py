"""How often devices report."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Fields, Limit, Page
from devices.kinds.kind import INTERVAL
from devices.registry import editing, registry
from devices.registry.errors import Invalid
from people.roles import Permission
from readings.rhythm import DeviceRhythm, list_rhythms

router = APIRouter(tags=["devices"])


class IntervalOut(BaseModel):
    """How often one device reports; seconds."""

    device: str = Field(examples=["bin-0007"])
    kind: str = Field(examples=["bin"])
    municipality: str = Field(examples=["tripoli"])
    district: str | None = Field(default=None, description="code of the one in which the device stands")
    interval_s: float | None = Field(description="its attribute; null where nobody entered one")
    gaps: int = Field(description="between how many of its newest readings", examples=[32])
    median_s: float | None = Field(examples=[86405.0])
    p95_s: float | None = Field(examples=[90000.0])
    pace: float = Field(description="learned: times its kind's interval, 1 for that itself", examples=[144.0])
    learned_s: float | None = Field(description="what to enter; null where it reports as its kind does")


@router.get("/intervals", response_model=Page[IntervalOut], summary="List how often devices report")
async def list_intervals(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    district: Annotated[str | None, Query(max_length=64, description="code of a district")] = None,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    device: Annotated[str | None, Query(max_length=64)] = None,
    after: Annotated[str | None, Query(max_length=64, description="cursor")] = None,
    limit: Limit = 100,
    fields: Fields = None,
) -> Response:
    """Return devices by name; those that have not sent two readings are not in it."""
    found = await list_rhythms(
        connection,
        context.kinds,
        kind=kind,
        municipality=municipality,
        district=district,
        device=device,
        after=after,
        limit=limit + 1,
        within=identity.towns(Permission.READ),
    )
    items = [_interval_out(one) for one in found]
    return pages.answer(request, items, limit=limit, cursor=("after", "device"), fields=fields)


@router.post("/devices/{device}/interval", summary="Enter what was learned as a device's interval")
async def apply_interval(
    device: str, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> IntervalOut:
    """Write down what a device does as its attribute `interval_s`."""
    await registry.get_device(connection, device)
    found = await list_rhythms(connection, context.kinds, device=device)
    if not found or found[0].learned_s is None:
        raise Invalid(f"attributes.{INTERVAL}", f"{device} has one, or reports as its kind does")
    changes = {"attributes": {INTERVAL: found[0].learned_s}}
    await editing.edit_device(connection, context.kinds, device, changes, now=context.now, by=actor)
    (entered,) = await list_rhythms(connection, context.kinds, device=device)
    return _interval_out(entered)


def _interval_out(rhythm: DeviceRhythm) -> IntervalOut:
    return IntervalOut(**{name: getattr(rhythm, name) for name in IntervalOut.model_fields})
